// Package pbx is a stand-in for a call centre and for SMS gateways: it plays whole calls in every format the telephony connector
// knows, signed as the provider signs, in order or shuffled, repeated and with losses; it serves recordings, takes callback
// requests and calls back, and answers as SMS gateways do.
//
// Tests, the load generator and "hearback simulate call" use it. It shares no code with the connector: what a provider sends, signs
// and checks is written here once more from the provider's own pages, so that a mistake on one side is seen by the other.
//
// A [Script] is what happens in one call; [Centre.Requests] is how a provider tells of it; [Centre.Post] sends it; [Office] is the
// provider's own server (recordings, callbacks, SMS). Times come from the script; the only clock is the one given to signatures.
package pbx

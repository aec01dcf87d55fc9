// Package telephony lets any call centre post its calls: call events by webhook become one call on one ticket, and the answer
// goes back to the caller as a callback, an SMS or by another way he has.
//
// The fleet opens a [Connector] per enabled telephony channel and serves it at /c/<channel id>/ and, for integrations written for
// Zammad's CTI, at /api/v1/cti/<token>. A channel speaks one [format]: it verifies a request, splits it into reports of one event
// each, and knows what the provider wants to hear. Each report becomes one envelope; [Decode] reads the same bytes again and says
// what call it is about, what happened, and who the customer is. The fold over all events (desk.Call.With) makes them one call.
//
// What holds:
//   - A provider is told "taken" when Accept has returned, never before. What cannot be verified or read changes nothing, and
//     stands in the channel's live log without secrets.
//   - The same report told again is the same envelope: its id is the provider's, or a hash of what it says. Order does not matter.
//   - Numbers are E.164 by the channel's country and area code; a withheld number is nobody's.
//   - Decode is pure: what it needs of the channel's settings travels with the envelope.
//
// How it fails: a store that takes nothing is 503 and the provider tries again; a body over 1 MB is 413; a wrong signature or
// password 401, an address that is not allowed 403, the same event id with other content 409.
package telephony

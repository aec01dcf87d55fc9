// Package connectors is the contract between the house and its channels.
//
// A channel kind is one folder below this one and exports exactly one [Kind]; cmd/hearback/kinds.go lists them. The fleet
// opens a [Connector] per enabled channel and lends it [Tools]; a connector turns what its provider says into envelopes
// ([Inbox.Accept]) and carries one reply at a time to the provider ([Connector.Send]). It never touches the ticket store.
//
// Two promises hold the house up: a connector acknowledges upstream only after Accept returned nil, and every failure of
// Send is a [SendError] whose [Class] says what delivery does next.
package connectors

// Package delivery carries agents' replies out of the house.
//
// A reply is a row before it is a network call: console writes it together with the message, [Belt] claims it, a connector
// sends it, Settle records what happened. The attempt is registered before it is made: if the process dies in between, the
// row's next_attempt_at brings it back, and the belt knows that an earlier attempt may have reached the customer.
//
// Replies of one ticket leave in the order they were written. Tickets do not wait for each other.
//
// How it fails: by the classes of connectors.SendError and nothing else. Whatever a channel cannot carry is refused with a
// hint before it is tried; a reply is never shown as sent that the provider refused, and never sent twice unknowingly.
package delivery

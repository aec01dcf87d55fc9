// Package desk is the vocabulary of Hearback: what a message, a ticket, a contact, a channel and a delivery are.
//
// Every other package speaks in these words; this one imports nothing but the standard library. Values are plain data:
// shapes that travel between floors, no behaviour that needs a database, a network or a clock.
//
// Times are [Time]: UTC unix milliseconds, zero meaning "not set". Identifiers are [ID]: UUIDv7 text, so that they sort by
// the time they were made.
package desk

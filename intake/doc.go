// Package intake carries what customers send into tickets: the inbound belt.
//
// A connector calls [Belt.Accept] with raw envelopes; concurrent callers share one transaction, and nil means that the rows
// can no longer be lost. [Belt.Run] then decodes each envelope (pure, panics contained), normalizes and classifies it and
// files a whole batch in one transaction: identity to contact, conversation to ticket, message, outcome.
//
// Rows are born claimed: the accepting node files them from memory, without asking the database again. If it dies, the
// lease in the row runs out and any node claims it. Envelopes of one sender are filed in the order they were accepted, also
// across nodes: the store refuses to file a later one first.
//
// What a message only names, a picture of WeChat or a recording, [Fetch] brings after it was filed: a text is never late for a file. A
// message that only asks for the state of tickets is marked as a question; the store keeps it as a job for package customer.
//
// How it fails: a store that is away makes Accept answer desk.ErrUnavailable and lets Run wait; an envelope that cannot be
// understood is tried again a few times, then put aside as dead with its raw original, while all others keep flowing.
package intake

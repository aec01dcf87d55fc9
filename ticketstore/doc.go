// Package ticketstore keeps everything a customer, agent or admin would miss: SQL is the truth of the house.
//
// intake puts raw envelopes in (PutInbox), claims them (ClaimInbox) and files them into tickets (File); console and bots write
// replies (Reply, Note) which delivery claims and settles (ClaimDeliveries, Settle); the router's picks are confirmed here
// (Assign); admin and console read and change the rest.
//
// A conversation is a channel and a sender (a row of senders): how long and how often may be written there belongs to it, and its
// tickets show a copy. A reply may leave by another conversation than its ticket's; the answer comes back to the ticket that wrote
// there last. A call is a row of calls: the fold over its events, shown by one message.
//
// Rows are locked in one order everywhere: conversations, copies of a mail, calls, people, tickets by rising id. Where that cannot
// be kept PostgreSQL picks a victim, and its transaction is run again.
//
// Invariants: a message and its consequences commit in one transaction; every change of a ticket counts its version up by
// one, and what is written carries that number as seq; envelopes of one sender are filed in the order they were accepted; a
// claim is a lease, so that a crash is a retry.
//
// The same SQL runs on SQLite and PostgreSQL; the differences are in the dialect value and in how batches of rows reach a
// statement (bulk). Text the database cannot hold (NUL, broken UTF-8) is mended at this edge with U+FFFD.
//
// When the database is full, read only, locked or gone, errors wrap desk.ErrUnavailable and nothing was kept.
package ticketstore

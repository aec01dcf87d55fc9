// Package router decides where a ticket goes and who gets it.
//
// [Classifier] reads a message against the admins' keyword rules and proposes team, priority and tags; intake calls it before it
// files. [Router] keeps a board in Redis of waiting tickets and of the people who are there, picks pairs on it with scripts that
// run atomically, and lets SQL confirm each pick; intake, console and the websocket hub call it.
//
// What holds:
//   - SQL is the truth. A pick counts once ticketstore.Assign took it, conditional on a rising epoch; a refused pick is given
//     back. Two nodes, a late answer or a board that lost its memory never give one ticket two owners.
//   - The board can vanish at any moment. A generation key tells; one node builds it again from SQL, with epochs that never go
//     back, and a reconciler compares the two every minute.
//   - No automatic pick exceeds an agent's capacity. People may: they win over arithmetic.
//   - A ticket nobody can take never blocks the one behind it.
//   - While Redis is away people still claim, transfer and close; assignment catches up when it is back.
//   - Every decision is stored with the candidates and why each was passed over.
package router

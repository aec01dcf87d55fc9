// Package customer is the public side that is no channel: what customers are told without a person.
//
// A customer who writes a ticket's number, or "进度", in a channel whose kind allows it is answered with the state of his tickets.
// intake recognizes the question and the store keeps it as a job in the transaction that files it; [Answers.Run] answers it: as an
// automatic message on the open ticket, where agents see it, or straight through the channel when none is open.
//
// Nobody learns anything of another customer's ticket: such a number is answered like one that does not exist. How it fails: a channel
// or store that is away puts the answer off; after an hour it is given up, since an answer that comes late confuses more than it helps.
package customer

// Package webchat is the chat on a website: visitors write in a widget (or any client of docs/websocket.md) and read the
// answers there.
//
// The fleet opens a [Channel] per enabled web chat and mounts it at /c/<channel id>/. A visitor is a signed token with a random
// id; his conversation is the numbered log lent by the house (Tools.Log): what he wrote are the accepted envelopes
// themselves, what agents answer is appended by Send. Websocket, long poll and server-sent events show that same log.
//
// What holds:
//   - A message is acknowledged when Accept has returned, never before; the same client_msg_id again gets the same answer, with
//     other words a conflict.
//   - Each socket gets the events after its position once and in order. Live hints only say that there is more: whoever sees a
//     gap, or has been told nothing for a while, reads the log.
//   - No lock is held while writing. A socket has at most 256 frames waiting; one more and it is closed with 4008.
//   - An idle socket is one goroutine in a read and small buffers: no timer, no writer, no write buffer of its own. One
//     wheel per channel pings all of them.
//   - What one visitor sends costs him a rate; Redis is asked only when he is quick.
//   - Names, addresses and texts are data: nothing here interprets them, and they appear in no log line.
//
// How it fails: a store that does not take a message is 503 "unavailable" and the client repeats it; a log that cannot be
// read asks the client to say hello again; a node that goes away closes its sockets with 1012 and the clients come back to
// another one with their position.
package webchat

// Package console is the agents' side of the server: the HTTP API under /api/v1 and the websocket hub at /ws.
//
// cmd/hearback builds one Console, registers its routes on the mux it serves and runs it. Every route declares what the
// caller must be allowed to do; one middleware (access.go) finds out who is calling and holds the declaration, so a handler
// never asks again. What a handler changes is one store call; its events are published after the commit, and a reply wakes
// the delivery belt.
//
// A reply may leave by several ways (routes.go): the ticket's own conversation, what its channel does beside writing, and other
// channels by the contact's proven addresses. One that is shut is refused before it is tried.
//
// Calls reach the pages by a board of their own (hub_calls.go), so that a flood of them holds up no ticket. Letters are shown as
// pages of their own (letter_html.go), without anything that runs.
//
// Invariants: a ticket outside the caller's scope does not exist (404); an answer is given only after the commit; names and
// texts are data, the package writes JSON and nothing else; a slow socket is closed (4008), never waited for; no lock is
// held while writing to a socket.
//
// How it fails: a database that takes no writes is 503 and nothing was kept; without Redis everything but assignment and
// live events works, and a page that reconnects receives what it missed from the store.
package console

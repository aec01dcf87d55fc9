// Package auth knows who is calling: people with passwords and sessions, programs with API tokens, and what each may do.
//
// console and admin ask it on every request, cmd makes the first admin and tokens with it. It keeps people, sessions and
// tokens in the ticket store and takes its rate limits from whatever is lent as Limiter (the bus).
//
// Nothing that could be used to log in is stored: passwords as argon2id hashes, session and API tokens as SHA-256 of 256
// random bits. An account that does not exist costs a caller the same time as a wrong password. What was revoked is refused
// by the next request on every node, because the session or token is read each time; name, role and teams of an agent are
// remembered for a few seconds, and Forget drops them at once.
//
// It fails closed: when the store is away, nobody is let in and the error wraps desk.ErrUnavailable.
package auth

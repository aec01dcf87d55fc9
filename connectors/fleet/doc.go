// Package fleet keeps the right channels open on this node.
//
// Main makes one [Fleet] from the list of kinds and the store, mounts it at /c/ and the prefixes of [Fleet.Mounts], and runs
// it. Delivery asks [Fleet.Get] for the connector of a reply's channel; console asks what is open and whom it may write to; admin
// asks [Validate], [Complete], [Fleet.Test], [Fleet.Try], [Fleet.Log], [Fleet.Begin] and [Light].
//
// What holds:
//   - Every enabled channel is open on every node. A changed channel (its Version) is opened anew before the old one is
//     closed, within seconds of [Fleet.Changed] and at the latest at the next sweep; no restart.
//   - A Poller receives on one node only: the one that holds the lease "channel:<id>", opened with the cursor as it stood when
//     the lease was taken. It is started again with backoff; refused credentials wait a quarter of an hour.
//   - A panic in a connector is contained to its request or its attempt.
//   - Channels' HTTP client reaches public addresses only, judged after name resolution and again at every redirect, and the
//     one private address that Options.Allow lets through.
//   - A kind's second address leads by a secret token to one channel; all tokens are compared, in constant time.
//   - Notes of what came in never hold up a webhook: they wait a moment and are written together (livelog.go).
//   - A log-in at a provider is taken once, in time, and from the admin who began it; nothing of it is remembered (consent.go).
//   - No secret reaches a log line or a health text: their values are replaced on the way.
//
// How it fails: a channel that cannot be opened shows in its health and is tried again at every change and every minute; its
// address answers 503 so that providers come again. Unknown and disabled channels are 404 without detail. A store that is
// away leaves everything open as it is.
package fleet

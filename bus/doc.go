// Package bus is the house's line to Redis: one client for the embedded and the real one, live hints between nodes, and
// values all nodes share.
//
// [Open] connects to a single Redis, Sentinel or Cluster, or starts one in this process (miniredis behind the same client, over
// in-memory pipes: no port is opened). The router keeps its board there through [Bus.Client]; consoles hear of changes through
// [Bus.Publish] and [Bus.Subscribe]; the instances of one channel on several nodes talk through a [Line]; connectors share
// access tokens, nonces and rate buckets through [Bus.Once], [Bus.Seen] and [Bus.Allow].
//
// What holds:
//   - Nothing here is the truth. A hint may be lost, and Redis may forget everything at any moment; SQL knows.
//   - Hints of one publisher are never reordered. Subscribers of the publishing node get them before Publish returns, without
//     passing through Redis; other nodes get them over one subscription per node, whatever the number of channels.
//   - Publish never waits for Redis. While Redis is away hints to other nodes are dropped, and as soon as it is back every node
//     is told that it missed something (see [Bus.OnGap]).
//   - Every key carries one hash tag per workspace, so that all of them live in one slot of a Cluster.
//   - Commands are not repeated by the client: a script that changed something and lost its answer must not run twice.
package bus

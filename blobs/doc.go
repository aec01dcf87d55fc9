// Package blobs keeps files: attachments and big raw originals.
//
// A file lives under the SHA-256 of its content, so the same picture sent a thousand times is stored once and a key can be
// checked against what it opens. Connectors, the inbound belt and the agents' uploads write here; nothing is ever changed in
// place.
//
// When Put returns, the file survives a power cut: it is written to a temporary file, synced, renamed to its key, and the
// folder is synced. A reader never sees half a file. What was left behind by a crash is swept by Open.
//
// How it fails: too much content is desk.ErrInvalid; a full or read-only disk is desk.ErrUnavailable; in both cases nothing
// is kept. A key that is not there, or is no key, is desk.ErrNotFound.
//
// The methods of [Store] (Put, Open, Stat, Remove, Each) are all the rest of the house uses, so a store in an object service can
// take its place.
package blobs

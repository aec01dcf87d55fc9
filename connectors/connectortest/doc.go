// Package connectortest is how a channel kind proves that it keeps the contract.
//
// Every folder under connectors calls [Conformance] with a [Harness] that knows how to play its provider; case tables for single
// requests and answers go through [Receive] and [Send]. A [House] stands for the rest of Hearback: a recording inbox with the
// numbering of the real one, a log, a cache, a bus, files in memory, a clock that stands still until moved.
//
// The suite checks, unasked: acknowledged only after Accept and never when it fails; duplicates are acknowledged like the
// first; Send gives up when its context ends; nothing is left running after Close; no secret reaches a log line or an error;
// Decode is pure and survives any bytes; nothing leaves the loopback.
package connectortest

// Package bustest lends tests a Redis: Debian's redis-server, private, on a Unix socket in a temporary folder, and the embedded
// one. Tests of whatever uses the bus call [Each] to hold on both. A machine without redis-server fails them.
package bustest

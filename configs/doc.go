// Package configs holds the gateway's configuration: one struct, defaults that work without any file, and one loader.
//
// Values come from four places; the later one wins: [Default], the TOML file, the environment (HEARBACK_ plus the key with
// dots as underscores, e.g. HEARBACK_ROUTING_CAPACITY; secrets also as …_FILE naming a file), and command-line flags.
// cmd/hearback is the only caller; every other package gets the values it needs as plain options.
//
// A wrong key or value is an [Error] that names the key, the line and what would be right; nothing starts with half a
// configuration. hearback.example.toml shows every key with its default; a test holds the two equal.
package configs

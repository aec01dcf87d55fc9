// Package vault seals and opens the house's secrets: channel passwords, application secrets, webhook keys.
//
// Every secret gets a data key of its own (AES-256-GCM), and that data key is sealed by a master key. The associated data of
// both binds a sealed value to one place, such as "channel ID/field": copied elsewhere it does not open. Master keys come
// from a file of mode 0600 (made on the first start) or from the environment. Several may be given, newest first: the first
// seals, all of them open, which is how a key is rotated.
//
// ticketstore seals and opens channel settings with it; cmd makes it; web chat derives its token keys from it.
//
// A wrong master key cannot open anything and changes nothing: [Vault.Verify] tells before the first write.
package vault

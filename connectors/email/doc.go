// Package email is the channel kind for mailboxes: IMAP in, SMTP out.
//
// The fleet opens one connector per mailbox. [connector.Receive] runs on the node that holds the mailbox's lease and lives as
// long as one IMAP connection; everybody else only sends. Decode hands the raw mail to normalizer/mail and says which
// conversation it belongs to.
//
// What holds:
//   - A mail is marked or moved on the server only after it was accepted. The position (UIDVALIDITY and last UID) commits in the
//     same transaction as the mails, so that a break at any moment fetches the rest and nothing else.
//   - A mail is known by its Message-ID and the digest of its content: a missing or reused Message-ID loses nothing, and a
//     mailbox read again doubles nothing.
//   - Mails over 64 KB go to the blob store as they are read, and the files in big ones from there into blobs of their own (decodeBig);
//     memory does not grow with them.
//   - Of a mail's origin only the receiving server is believed (judge), and a Reply-To is followed only when the origin is proven
//     (answerTo).
//   - The server never parses mails for us: ENVELOPE and BODYSTRUCTURE are not asked for, as broken mails break them.
//   - A reply carries its message's id in the Message-ID and, where the provider delivers plus addresses, in the Reply-To, else the
//     ticket's number in the subject. Those ids are random: who knows one has received the reply.
//
// How it fails: refused log-ins are of class Credentials and say what to do in a sentence; everything else on the way to the
// server is tried again by the fleet or the delivery belt. A connection that breaks after the mail's last byte is Uncertain and the
// reply is sent again under the same Message-ID.
package email

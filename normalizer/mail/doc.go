// Package mail reads e-mail as it is, not as it should be.
//
// [Parse] turns the raw bytes of a mail into a [Mail]: who wrote to whom, what the person wrote this time and what is quoted
// history, attachments, and whether a machine wrote it ([Mail.Class], [Mail.Bounce]). It never fails and never panics: what is
// broken is repaired and said in [Mail.Repairs]; when nothing helps the mail is shown as raw text. go-message reads headers and
// decodes bodies; where it refuses, a tolerant reader takes the same bytes, and enmime when that one finds nothing.
//
// connectors/email calls Parse from its Decode, so everything here is pure: no network, no clock, no state. Work and memory are
// bounded by [Limits]; what was cut is among the repairs.
package mail

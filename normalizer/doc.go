// Package normalizer turns what people and machines wrote into text the house can rely on.
//
// The router matches keywords on [Match], the ticket store indexes and asks with [SearchWords] and [SearchQuery], intake
// and the console clean and shorten with [CleanText] and [Snippet]. The sub-package mail reads e-mail.
//
// Everything here is pure: no network, no clock, no state. Any input is accepted, invalid UTF-8 included; nothing fails and
// nothing panics. The same function must be applied to both sides of a comparison (rule and text, index and query): what
// comes out is for comparing, not for showing.
package normalizer

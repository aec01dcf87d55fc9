package mail

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// look is what an element's attributes say about what it holds.
type look struct {
	quote     bool // history inside
	rest      bool // history from here on
	signature bool
	hidden    bool
}

// quoteNames are classes and ids of elements that mail programs put history in: Gmail, Yahoo, Thunderbird, Proton, Zoho, Tutanota,
// QQ, NetEase, Alibaba, Feishu, DingTalk, Yandex, Mail.ru, GMX, Front, HEY, Spark, Superhuman.
var quoteNames = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:gmail_quote|gmail_quote_container|gmail_extra|yahoo_quoted|yahooquoted|moz-forward-container|protonmail_quote|zmail_extra|tutanota_quote|isreplycontent|original-content|mail-quote|` +
	`history-quote-wrapper|lark-mail-quote|alimail-quote|quoted-text|mail-editor-reference-message-container|olk_src_body_section|front-blockquote|trix-content-quote|sh-quoted-content|spark-quote|ntes_quote|netease_quote|wemail_quote|xm_mail_quote|` +
	`x_gmail_quote|replied-message|replyquote|quotedmessage|email_quote|quoted_message|mailquote|edo-message|ms-outlook-mobile-reference-message)(?:$|[\s_-])`)

// restNames are ids after which everything is history: Outlook on the web, Hotmail.
var restNames = regexp.MustCompile(`(?i)(?:^|\s)(?:x_)*(?:divrplyfwdmsg|appendonsend|stopspelling|outlookmessageheader|replysplit|ydp.{0,12}yahoo_quoted|reply-intro|mail_reply_header)(?:$|\s)`)

var signatureNames = regexp.MustCompile(`(?i)(?:^|\s)(?:x_)*(?:gmail_signature|moz-signature|protonmail_signature_block|signature|mailsignature|ms-outlook-mobile-signature|outlookandroidsignature|outlook-android-signature|outlook-ios-signature|ymail_android_signature|yahoo_ios_signature|mobile-signature|tutanota_signature|foxmailsign|lark-mail-signature|mail-signature|ntes_signature|xm_signature|zmail_signature)(?:$|\s)`)

// outlookRule is the line Outlook draws above the header it repeats.
var outlookRule = regexp.MustCompile(`border-top:\s*(?:solid|1(?:\.0)?p[tx] solid)\s*(?:#(?:b5c4df|e1e1e1|c0c0c0|a0a0a0)|windowtext|rgb\(18[01], ?196, ?223\)|rgb\(225, ?225, ?225\))?\s*(?:1(?:\.0)?p[tx])?|border-top-color:\s*rgb\(229, ?229, ?229\)`)

// lookAt reads the attributes of a start tag.
func lookAt(t html.Token) look {
	var l look
	class, id, style := cutText(attribute(t, "class"), 500), cutText(attribute(t, "id"), 500), strings.ToLower(cutText(attribute(t, "style"), 2000))
	names := class + " " + id
	if t.DataAtom == atom.Blockquote {
		l.quote = !isIndent(t, class, style)
	}
	if names != " " {
		l.quote = l.quote || quoteNames.MatchString(names)
		l.rest = restNames.MatchString(names)
		l.signature = signatureNames.MatchString(names)
	}
	if attribute(t, "data-signatureblock") == "true" || attribute(t, "name") == "messageSignatureSection" {
		l.signature = true
	}
	if attribute(t, "name") == "quote" || attribute(t, "data-type") == "quote" || attribute(t, "name") == "messageReplySection" && strings.Contains(class, "quote") {
		l.quote = true
	}
	if style != "" {
		compact := strings.ReplaceAll(style, " ", "")
		l.hidden = strings.Contains(compact, "display:none") || strings.Contains(compact, "mso-hide:all") && strings.Contains(compact, "max-height:0")
		l.rest = l.rest || t.DataAtom == atom.Div && isOutlookRule(style, compact)
	}
	return l
}

// isIndent: Gmail and Outlook indent with blockquotes that have no line beside them.
func isIndent(t html.Token, class, style string) bool {
	if attribute(t, "type") == "cite" || attribute(t, "cite") != "" || strings.Contains(class, "quote") {
		return false
	}
	compact := strings.ReplaceAll(style, " ", "")
	return strings.Contains(compact, "border:none") && strings.Contains(compact, "40px")
}

func isOutlookRule(style, compact string) bool {
	if !outlookRule.MatchString(style) {
		return false
	}
	return strings.Contains(compact, "border-top-color:rgb(229,229,229)") ||
		strings.Contains(compact, "padding:3") && (strings.Contains(compact, "border:none") || strings.Contains(compact, "border-width")) ||
		strings.Contains(compact, "#b5c4df") || strings.Contains(compact, "#e1e1e1")
}

// isSignatureRule: the short lines QQ Mail and Foxmail draw above a signature.
func isSignatureRule(t html.Token) bool {
	style := strings.ReplaceAll(strings.ToLower(cutText(attribute(t, "style"), 500)), " ", "")
	return strings.Contains(style, "solid#e6e8eb") || strings.Contains(style, "width:210px") && strings.EqualFold(attribute(t, "color"), "#b5c4df")
}

// SplitHTML takes an HTML body apart. ReplyHTML and QuotedHTML are pieces of the source in their order, neither balanced nor
// sanitized: whoever shows them does both, as with all HTML from outside.
func SplitHTML(s string) Parts {
	lines := htmlLines(s)
	if len(lines) == 0 {
		return Parts{ReplyHTML: s}
	}
	kinds := splitLines(lines)
	p := assemble(kinds, lines)
	var reply, quoted strings.Builder
	from := 0
	for i := 0; i < len(lines); {
		kind := kinds[i]
		for i < len(lines) && (kinds[i] == SegmentQuote) == (kind == SegmentQuote) {
			i++
		}
		to := len(s)
		if i < len(lines) {
			to = max(from, min(lines[i].at, len(s)))
		}
		if kind == SegmentQuote {
			quoted.WriteString(s[from:to])
		} else {
			reply.WriteString(s[from:to])
		}
		from = to
	}
	p.ReplyHTML, p.QuotedHTML = reply.String(), quoted.String()
	return p
}

var metaLabel = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{2,40})`)

// metaCharset finds the charset an HTML page declares for itself.
func metaCharset(b []byte) string {
	if m := metaLabel.FindSubmatch(b[:min(len(b), 4096)]); m != nil {
		return string(m[1])
	}
	return ""
}

var enrichedTag = regexp.MustCompile(`(?i)</?[a-z-]{1,60}>`)

// enrichedToText takes the commands off text/enriched (RFC 1896).
func enrichedToText(s string) string {
	s = strings.ReplaceAll(s, "<<", "\x00")
	s = enrichedTag.ReplaceAllString(s, "")
	return strings.ReplaceAll(s, "\x00", "<")
}

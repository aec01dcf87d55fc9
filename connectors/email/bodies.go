package email

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// sanitizer passes what people format; pictures may also point to files of the letter.
var sanitizer = bluemonday.UGCPolicy().AllowURLSchemes("mailto", "http", "https", "cid")

// bodies are the plain and the HTML form of a letter: the answer in its team's template, with the signature, and below what it
// answers. mailbox is the signature of the mailbox, for agents without one of their own.
func bodies(out desk.Outbound, mailbox string) (text, page string) {
	text = strings.TrimRight(lineEnds(out.Text), "\n")
	if strings.TrimSpace(out.HTML) != "" {
		page = sanitizer.Sanitize(withPictures(out))
		if text == "" {
			text = strings.TrimSpace(mail.HTMLText(out.HTML))
		}
	} else {
		page = "<div>" + lines(text) + "</div>"
	}
	if !out.Automatic {
		text, page = dressed(out, text, page, cmp.Or(strings.TrimSpace(lineEnds(out.Signature)), strings.TrimSpace(lineEnds(mailbox))))
	}
	if q := out.Quote; q != nil && strings.TrimSpace(q.Text) != "" {
		intro := introduction(text+q.Text, q)
		quoted := cut(strings.TrimSpace(q.Text), 20000)
		text += "\n\n" + intro + "\n> " + strings.ReplaceAll(quoted, "\n", "\n> ")
		page += "<br><div>" + html.EscapeString(intro) + "</div><blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">" + lines(quoted) + "</blockquote>"
	}
	return text + "\n", "<html><body>" + page + "</body></html>\n"
}

// dressed puts an answer into its template. Without one, or with one that forgets the answer, the answer stands first and the
// signature below it. What is put in is put in once: a customer called {{signature}} stays that.
func dressed(out desk.Outbound, text, page, sign string) (string, string) {
	sign = fill(sign, out, "", "", plain)
	template := strings.TrimSpace(lineEnds(out.Template))
	switch {
	case strings.Contains(template, "{{text}}"):
		return fill(template, out, text, sign, plain), "<div>" + fill(lines(template), out, "</div>"+page+"<div>", lines(sign), escaped) + "</div>"
	case template != "":
		text += "\n\n" + fill(template, out, "", sign, plain)
		page += "<br><div>" + fill(lines(template), out, "", lines(sign), escaped) + "</div>"
	case sign != "":
		text += "\n\n-- \n" + sign
		page += "<br><div>-- <br>\n" + lines(sign) + "</div>"
	}
	return text, page
}

// fill replaces what stands in braces, in one pass.
func fill(pattern string, out desk.Outbound, text, sign string, word func(string) string) string {
	agent := word(out.Author.Name)
	return strings.NewReplacer("{{text}}", text, "{{signature}}", sign, "{{agent}}", agent, "{agent}", agent, "{{customer}}", word(out.ToName),
		"{{number}}", word(out.Number)).Replace(pattern)
}

func escaped(s string) string { return html.EscapeString(plain(s)) }

// withPictures makes pictures of the letter's own files point into the letter: the composer shows them from where they are kept.
func withPictures(out desk.Outbound) string {
	page := out.HTML
	for _, f := range out.Attachments {
		if f.Inline && f.ContentID != "" && f.ID != "" {
			own := regexp.MustCompile(`(?i)(src\s*=\s*["'])[^"']*/` + regexp.QuoteMeta(f.ID) + `[^"']*`)
			page = own.ReplaceAllString(page, "${1}cid:"+strings.ReplaceAll(f.ContentID, "$", "$$"))
		}
	}
	return page
}

func lineEnds(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func lines(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\n")
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

var han = regexp.MustCompile(`\p{Han}`)

// introduction is the line above a quote, in the language of the conversation.
func introduction(all string, q *desk.Quote) string {
	at, who := q.At.Std(), plain(q.Author)
	if han.MatchString(all) {
		return fmt.Sprintf("在 %s，%s 写道：", at.Format("2006年1月2日 15:04 MST"), cmp.Or(who, "您"))
	}
	return fmt.Sprintf("On %s, %s wrote:", at.Format("2 Jan 2006 15:04 MST"), cmp.Or(who, "you"))
}

package console

import (
	"bytes"
	"html"
	"net/url"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	xhtml "golang.org/x/net/html"

	"hearback/desk"
)

// letterLimit is how many bytes of a letter's HTML are shown; longer ones are cut and say so.
const letterLimit = 1 << 20

// letterPolicy is what may stand in a letter: text, tables, pictures, links and harmless looks. Nothing that runs, loads, covers
// the page or asks for input. Made once: it holds hundreds of patterns and is never changed.
var letterPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "wbr", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big",
		"font", "center", "blockquote", "pre", "code", "tt", "kbd", "samp", "var", "cite", "q", "abbr", "address", "article", "section", "header",
		"footer", "main", "aside", "figure", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption",
		"colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th", "img", "a", "bdo", "bdi", "mark", "time", "ruby", "rt", "rp")
	p.SkipElementsContent("title", "textarea", "select", "template", "svg", "math", "audio", "video", "canvas", "applet")
	p.AllowAttrs("dir", "lang", "title", "align", "valign").Globally()
	p.AllowAttrs("bgcolor", "width", "height", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "nowrap", "scope", "span").
		OnElements("table", "thead", "tbody", "tfoot", "tr", "td", "th", "col", "colgroup", "caption")
	p.AllowAttrs("color", "size", "face").OnElements("font")
	p.AllowAttrs("start", "type", "reversed", "value").OnElements("ol", "ul", "li")
	p.AllowAttrs("src", "alt", "width", "height", "border", "hspace", "vspace").OnElements("img")
	p.AllowAttrs("href").OnElements("a")
	p.AllowStyles("color", "background-color", "font", "font-family", "font-size", "font-style", "font-weight", "font-variant", "line-height",
		"letter-spacing", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space", "word-break", "word-wrap",
		"overflow-wrap", "direction", "display", "float", "clear", "width", "height", "max-width", "min-width", "max-height", "min-height",
		"margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left",
		"border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width", "border-radius",
		"border-collapse", "border-spacing", "list-style-type", "table-layout").Globally()
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.RequireParseableURLs(true)
	p.AllowDataURIImages()
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})

const letterHead = `<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>-</title><base target="_blank">
<style>
body{margin:12px;font:14px/1.5 "Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1a2130;background:#fff;overflow-wrap:anywhere}
img{max-width:100%}
img:not([src]){border:1px dashed #9aa3b2;border-radius:3px;min-width:16px;min-height:16px;background:#f2f4f7;color:#5b6577}
table{max-width:100%}
blockquote{margin:0 0 0 .8ex;border-left:2px solid #ccd2dc;padding-left:1ex}
.hearback-cut{border-top:1px solid #ccd2dc;margin-top:12px;padding-top:8px;color:#5b6577}
</style></head><body>
`

const letterCut = `<p class="hearback-cut">内容过长，未显示全部，可下载原文查看。 It is too long to be shown whole: download the original.</p>`

// letterPage is a letter as a document of its own. Its own pictures come from its attachments; those on other people's servers only
// with pictures, for they tell the writer that the letter was opened.
func letterPage(m desk.Message, pictures bool) []byte {
	source, cut := m.HTML, len(m.HTML) > letterLimit
	if cut {
		source = strings.ToValidUTF8(source[:letterLimit], "")
	}
	var page bytes.Buffer
	page.WriteString(letterHead)
	writeLetter(&page, letterPolicy().Sanitize(source), ownPictures(m.Attachments), pictures)
	if cut {
		page.WriteString(letterCut)
	}
	page.WriteString("\n</body></html>\n")
	return page.Bytes()
}

// ownPictures are the letter's own attachments by their content id (RFC 2392).
func ownPictures(all []desk.Attachment) map[string]string {
	own := map[string]string{}
	for _, a := range all {
		if id := strings.Trim(a.ContentID, "<> "); id != "" && a.State == "stored" {
			own[strings.ToLower(id)] = "/api/v1/attachments/" + a.ID
		}
	}
	return own
}

// writeLetter copies sanitized HTML and gives every picture the source it may have.
func writeLetter(to *bytes.Buffer, clean string, own map[string]string, pictures bool) {
	z := xhtml.NewTokenizer(strings.NewReader(clean))
	for {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			return // the end: what bluemonday writes can be read
		}
		raw := bytes.Clone(z.Raw()) // reading the tag's name changes it in place
		isTag := kind == xhtml.StartTagToken || kind == xhtml.SelfClosingTagToken
		if isTag {
			if name, _ := z.TagName(); string(name) == "img" {
				writePicture(to, z, own, pictures)
				continue
			}
		}
		to.Write(raw)
	}
}

func writePicture(to *bytes.Buffer, z *xhtml.Tokenizer, own map[string]string, pictures bool) {
	to.WriteString("<img")
	for {
		key, value, more := z.TagAttr()
		if name, text := string(key), string(value); name != "" {
			if name == "src" {
				text = pictureSource(text, own, pictures)
			}
			if name != "src" || text != "" {
				to.WriteString(" " + name + `="` + html.EscapeString(text) + `"`)
			}
		}
		if !more {
			break
		}
	}
	to.WriteString(` referrerpolicy="no-referrer">`)
}

// pictureSource is where a picture comes from, "" when it is not shown.
func pictureSource(src string, own map[string]string, pictures bool) string {
	scheme, rest, _ := strings.Cut(src, ":")
	switch strings.ToLower(scheme) {
	case "cid":
		id, err := url.PathUnescape(rest)
		if err != nil {
			id = rest
		}
		return own[strings.ToLower(strings.Trim(id, "<> "))]
	case "data":
		return src
	case "http", "https":
		if pictures {
			return src
		}
	}
	return ""
}

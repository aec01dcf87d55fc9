package webchat

import (
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// framePage is the widget's page; the web floor serves what it loads.
var framePage = template.Must(template.New("frame").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="referrer" content="no-referrer">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Base}}/widget/app.css">
</head>
<body>
<div id="app" data-channel="{{.Channel}}" data-base="{{.Path}}" data-locale="{{.Locale}}" data-color="{{.Color}}" data-title="{{.Title}}"></div>
<script type="module" src="{{.Base}}/widget/app.js"></script>
</body>
</html>
`))

var hostForm = regexp.MustCompile(`^[A-Za-z0-9.\-\[\]:]+$`)

// serveFrame serves the page inside the widget's frame. Only the channel's websites may frame it.
func (c *Channel) serveFrame(w http.ResponseWriter, r *http.Request) {
	lang := c.set.locale
	if lang == "auto" {
		lang = "zh-CN"
		if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
			lang = "en"
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", c.policy(r))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	framePage.Execute(w, map[string]string{
		"Lang": lang, "Title": c.set.title, "Channel": c.id, "Path": c.path, "Locale": c.set.locale, "Color": c.set.color,
		"Base": strings.TrimSuffix(c.path, "/c/"+c.id),
	})
}

// policy lets the page load from this server only, talk to it only, and be framed by the channel's websites only.
func (c *Channel) policy(r *http.Request) string {
	connect := "'self'"
	if hostForm.MatchString(r.Host) { // older Safari does not count websockets as 'self'
		connect += " ws://" + r.Host + " wss://" + r.Host
	}
	ancestors := "'self'"
	if c.set.anyOrigin {
		ancestors = "*"
	} else if len(c.set.origins) > 0 {
		ancestors += " " + strings.Join(slices.Sorted(maps.Keys(c.set.origins)), " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; " +
		"connect-src " + connect + "; base-uri 'none'; form-action 'none'; frame-ancestors " + ancestors
}

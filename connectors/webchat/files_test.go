package webchat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"hearback/connectors/connectortest"
	"hearback/desk"
)

const png = "\x89PNG\r\n\x1a\n some pixels"

func upload(t *testing.T, e *connectortest.Env, token, name string, content []byte) (int, map[string]any) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("file", name)
	part.Write(content)
	w.Close()
	status, out, _ := call(t, e, "POST", "/files", token, form.String(), "Content-Type", w.FormDataContentType())
	return status, out
}

// fetch loads a link as a page does.
func fetch(t *testing.T, e *connectortest.Env, link string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(e.URL[:strings.Index(e.URL, "/c/")] + link)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res, string(body)
}

func TestPictureGoesToTheAgentAndBack(t *testing.T) {
	e := open(t, nil)
	token, id := visitor(t, e, nil)
	status, f := upload(t, e, token, `C:\photos\..\猫.png`, []byte(png))
	if status != 201 || f["name"] != "猫.png" || f["type"] != "image/png" || f["size"].(float64) != float64(len(png)) {
		t.Fatalf("got %d %v", status, f)
	}
	status, out, _ := call(t, e, "POST", "/messages", token, map[string]any{"client_msg_id": "m1", "text": "", "attachments": []any{f["id"]}})
	if status != 201 {
		t.Fatalf("message: %d %v", status, out)
	}
	in, _ := e.Kind.Decode(e.House.Inbox.Envelopes()[0])
	if a := in[0].Attachments; len(a) != 1 || a[0].Name != "猫.png" || !strings.HasPrefix(a[0].Blob, "sha256-") || a[0].Type != "image/png" {
		t.Errorf("attachments %+v", a)
	}
	e.Conn.Send(t.Context(), desk.Outbound{MessageID: "r1", Sender: id, Text: "see", Attachments: []desk.Attachment{{ID: "a", Name: "猫.png", Type: "image/png", Size: 3, Blob: in[0].Attachments[0].Blob}}})
	w, _ := enter(t, e, token, 0)
	for _, ev := range w.events(2) {
		res, body := fetch(t, e, ev.Files[0].URL)
		h := res.Header
		if res.StatusCode != 200 || body != png || h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Disposition"), "inline") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%d %q %v", res.StatusCode, body, h)
		}
		if res, _ := fetch(t, e, ev.Files[0].URL+"x"); res.StatusCode != 403 {
			t.Errorf("changed link: %d", res.StatusCode)
		}
	}
	other, _ := visitor(t, e, nil)
	status, out, _ = call(t, e, "POST", "/messages", other, map[string]any{"client_msg_id": "m1", "attachments": []any{f["id"]}})
	if status != 403 || out["code"] != "forbidden" {
		t.Errorf("another visitor's file: %d %v", status, out)
	}
}

func TestForbiddenFilesAreRefusedAndNotKept(t *testing.T) {
	e := open(t, map[string]string{"max_file_mb": "1", "rate_per_minute": "0"})
	token, _ := visitor(t, e, nil)
	for _, c := range []struct {
		name, content string
		status        int
	}{
		{"page.png", "<!DOCTYPE html><script>alert(1)</script>", 415},
		{"picture.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">`, 415},
		{"run.pdf", "\x7fELF\x02\x01\x01\x00", 415},
		{"run.exe", "MZ\x90\x00\x03\x00", 415},
		{"old.doc.exe", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 415},
		{"empty.txt", "", 422},
		{"big.txt", strings.Repeat("x", 1<<20+1), 413},
		{"huge.txt", strings.Repeat("x", 3<<20), 413},
	} {
		if status, out := upload(t, e, token, c.name, []byte(c.content)); status != c.status {
			t.Errorf("%s: %d %v", c.name, status, out)
		}
	}
	if n := e.House.Blobs.Len(); n != 0 {
		t.Errorf("%d files were kept", n)
	}
	for name, content := range map[string]string{"a.txt": "words", "b.pdf": "%PDF-1.7", "c.docx": "PK\x03\x04", "d.xls": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "e.zip": "PK\x03\x04", "f.mp3": "ID3"} {
		if status, out := upload(t, e, token, name, []byte(content)); status != 201 {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	if status, _ := upload(t, e, "", "a.txt", []byte("x")); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	if status, out, _ := call(t, e, "POST", "/files", token, "{}", "Content-Type", "application/json"); status != 400 {
		t.Errorf("no form: %d %v", status, out)
	}
	e.House.Blobs.Fail(fmt.Errorf("no space left: %w", desk.ErrUnavailable))
	if status, out := upload(t, e, token, "a.txt", []byte("other words")); status != 503 || out["code"] != "unavailable" {
		t.Errorf("disk full: %d %v", status, out)
	}
}

func TestMisleadingNamesAreCleaned(t *testing.T) {
	e := open(t, nil)
	token, _ := visitor(t, e, nil)
	for given, want := range map[string]string{"photo\u202egnp.exe": "photognp.exe", "..": "file", strings.Repeat("长", 100) + ".txt": strings.Repeat("长", 65) + ".txt"} {
		if _, out := upload(t, e, token, given, []byte("words")); out["name"] != want {
			t.Errorf("%q became %q, want %q", given, out["name"], want)
		}
	}
}

func TestFrameMayBeFramedByTheChannelsSitesOnly(t *testing.T) {
	e := open(t, map[string]string{"title": `<script>"x"`, "locale": "en"})
	res, err := http.Get(e.URL + "/frame")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	csp := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "frame-ancestors 'self' http://desk.test "+shop) || strings.Contains(csp, "unsafe") {
		t.Error(csp)
	}
	page := string(body)
	if !strings.Contains(page, `src="/widget/app.js"`) || !strings.Contains(page, `data-channel="`+e.Channel.ID+`"`) || strings.Contains(page, "<script>\"x\"") {
		t.Error(page)
	}
	status, out, _ := call(t, e, "GET", "/config", "", nil, "Origin", shop)
	raw, _ := json.Marshal(out)
	if status != 200 || strings.Contains(string(raw), secret) || out["online"] != true || out["locale"] != "en" {
		t.Errorf("config %d %s", status, raw)
	}
}

package console

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

func TestErrorsOfTheHouseAreAnsweredInOnePlace(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   string
		detail string
	}{
		{fmt.Errorf("read: %w", desk.ErrNotFound), 404, "not_found", ""},
		{fmt.Errorf("reply: %w", desk.ErrClosed), 409, "ticket_closed", ""},
		{fmt.Errorf("save team: the name is taken: %w", desk.ErrConflict), 409, "conflict", "The name is taken."},
		{fmt.Errorf("save: 名字太长: %w", desk.ErrInvalid), 422, "invalid", "名字太长."},
		{desk.ErrInvalid, 422, "invalid", "The input is wrong."},
		{fmt.Errorf("x: %w", desk.ErrForbidden), 403, "forbidden", ""},
		{fmt.Errorf("x: %w", desk.ErrUnavailable), 503, "unavailable", ""},
		{auth.ErrNobody, 401, "unauthorized", ""}, {auth.ErrCredentials, 401, "credentials", ""},
		{&auth.TooMany{Wait: 90 * time.Second}, 429, "rate", ""},
		{errors.New("secret internals"), 500, "internal", ""},
	} {
		p := fromError(c.err)
		if p.Status != c.status || p.Code != c.code || c.detail != "" && p.Detail != c.detail || strings.Contains(p.Detail, "secret") {
			t.Errorf("%v: %d %s %q", c.err, p.Status, p.Code, p.Detail)
		}
	}
	if wait := fromError(&auth.TooMany{Wait: 90 * time.Second}).header.Get("Retry-After"); wait != "90" {
		t.Errorf("Retry-After %q", wait)
	}
}

func TestBadInputNamesTheFieldAndChangesNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", "")
	before := must(w.store.Ticket(t.Context(), ticket))(t)
	path := "/api/v1/tickets/" + ticket + "/replies"
	for name, c := range map[string]struct {
		status int
		body   any
	}{
		"broken JSON":   {400, `{"text":`},
		"no body":       {400, nil},
		"no key":        {422, `{"text":"x"}`},
		"wrong type":    {422, `{"text":5,"idempotency_key":"12345678"}`},
		"unknown field": {422, `{"text":"x","idempotency_key":"12345678","bcc":"everybody"}`},
		"empty":         {422, reply("  \n ")},
		"too long":      {422, reply(strings.Repeat("长", 20001))},
		"NUL":           {422, reply("a\x00b")},
		"deep":          {400, strings.Repeat(`{"text":`, 20000)},
		"2 MB":          {413, reply(strings.Repeat("x", 2<<20))},
	} {
		status, a := w.do(w.wang, "POST", path, c.body)
		if status != c.status || a["code"] == nil || a["status"] != float64(c.status) {
			t.Errorf("%s: %d %v", name, status, a)
		}
		if status == 422 && a["errors"] == nil {
			t.Errorf("%s names no field: %v", name, a)
		}
	}
	if after := must(w.store.Ticket(t.Context(), ticket))(t); after.Version != before.Version {
		t.Error("the ticket changed")
	}
	odd := "\u202Eevil\u202C <script>alert(1)</script> \u200b\x07"
	if a := w.want(201, w.wang, "POST", path, reply(odd)); a["text"] != odd {
		t.Errorf("kept as %q", a["text"])
	}
}

func TestPasswordIsNeverRepeatedInAnError(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, body := range []string{`{"email":"a@b","password":"hunter2-hunter2","x":1}`, `{"email":5,"password":"hunter2-hunter2"}`, `{"password":"hunter2-hunter2"`} {
		r, _ := http.NewRequest("POST", w.server.URL+"/api/v1/session", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		answer, err := w.server.Client().Do(r)
		w.ok(err)
		raw, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode < 400 || strings.Contains(string(raw), "hunter2") || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d %s", answer.StatusCode, raw)
		}
	}
}

func TestWrongPasswordIs401AndTooManyAre429(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	body := `{"email":"wang@example.com","password":"wrong wrong"}`
	if a := w.want(401, desk.Agent{}, "POST", "/api/v1/session", body); a["code"] != "credentials" {
		t.Error(a)
	}
}

// uploadFile sends a file as a browser does.
func (w *world) uploadFile(who desk.Agent, name string, content []byte) (int, map[string]any) {
	w.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", name)
	w.ok(err)
	part.Write(content)
	m.Close()
	r, err := http.NewRequest("POST", w.server.URL+"/api/v1/uploads", &form)
	w.ok(err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return w.send(who, r)
}

var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01")

func TestUploadIsJudgedByContent(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, c := range []struct {
		name    string
		content []byte
		status  int
		kind    string
	}{
		{"a.png", png, 201, "image/png"},
		{"report.exe", png, 201, "image/png"},
		{"notes.txt", []byte("hello"), 201, "text/plain"},
		{"list.csv", []byte("a,b\n1,2"), 201, "text/csv"},
		{"book.xlsx", []byte("PK\x03\x04\x14\x00"), 201, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"page.png", []byte("<!doctype html><script>alert(1)</script>"), 415, ""},
		{"x.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), 415, ""},
		{"run.exe", []byte("MZ\x90\x00\x03\x00\x00\x00\xff\xff\x00\x00"), 415, ""},
		{"empty.txt", nil, 422, ""},
		{"big.txt", bytes.Repeat([]byte("a"), maxUpload+1), 413, ""},
	} {
		status, a := w.uploadFile(w.wang, c.name, c.content)
		if status != c.status || c.kind != "" && a["type"] != c.kind {
			t.Errorf("%s: %d %v", c.name, status, a)
		}
	}
}

func TestFileIsShownOnlyToWhoSeesItsTicketAndCannotRun(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", w.support.ID)
	_, file := w.uploadFile(w.wang, "../..\\会议\u202Egnp.png", png)
	m := w.want(201, w.wang, "POST", "/api/v1/tickets/"+ticket+"/replies", reply("", "attachments", []any{file["id"]}))
	url := m["attachments"].([]any)[0].(map[string]any)["url"].(string)
	if name := m["attachments"].([]any)[0].(map[string]any)["name"]; name != "会议gnp.png" {
		t.Errorf("named %q", name)
	}
	w.want(404, w.boss, "GET", url, nil)
	r, _ := http.NewRequest("GET", w.server.URL+url, nil)
	r.Header.Set("Authorization", "Bearer "+w.tokens[w.wang.ID])
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	defer answer.Body.Close()
	got, _ := io.ReadAll(answer.Body)
	h := answer.Header
	if !bytes.Equal(got, png) || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
		!strings.HasPrefix(h.Get("Content-Disposition"), "inline") || h.Get("Content-Type") != "image/png" {
		t.Errorf("%q %v", got, h)
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.withAdmin()
	answer, err := w.server.Client().Get(w.server.URL + "/docs")
	w.ok(err)
	defer answer.Body.Close()
	page, _ := io.ReadAll(answer.Body)
	text := string(page)
	for _, bad := range []string{"<script", "src=", "https://", "@import"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, good := range []string{"/api/v1/tickets/{id}/replies", "Ticket", "colleague_answered", "/api/v1/rules/dry-run"} {
		if !strings.Contains(text, good) {
			t.Errorf("the page has no %q", good)
		}
	}
	spec := w.want(200, desk.Agent{}, "GET", "/openapi.json", nil)
	if spec["openapi"] != "3.1.0" {
		t.Error(spec["openapi"])
	}
}

func TestRestOfARefusedBodyIsNotTakenForARequest(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ticket, _ := w.arrive("v1", "hello", "")
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	w.ok(err)
	defer conn.Close()
	inner := "GET /api/v1/session HTTP/1.1\r\nHost: x\r\n\r\n"
	body := `{"text":"` + strings.Repeat("x", jsonLimit+300<<10) + inner
	go fmt.Fprintf(conn, "POST /api/v1/tickets/%s/replies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		ticket, w.tokens[w.wang.ID], len(body), body)
	answers, _ := io.ReadAll(conn) // until the server closes
	if n := bytes.Count(answers, []byte("HTTP/1.1 ")); n != 1 || !bytes.HasPrefix(answers, []byte("HTTP/1.1 413")) {
		t.Errorf("%d answers: %s", n, answers)
	}
}

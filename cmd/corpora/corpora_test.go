package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder is where the corpora lie; "" when they are not there.
func folder(t *testing.T) string {
	dir := os.Getenv("HEARBACK_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	for _, d := range []string{filepath.Join(dir, "email"), dir} {
		if found, _ := filepath.Glob(filepath.Join(d, "*", "*.json")); len(found) > 0 {
			return d
		}
	}
	t.Logf("no corpora in %s: the pass rates over real mails are not checked here, set HEARBACK_CORPORA to check them", dir)
	return ""
}

// rates are what must hold over all corpora, in percent.
var rates = map[string]float64{
	"outcome": 100, "subject": 99.5, "from": 99.5, "to": 99.5, "cc": 99.5, "message-id": 99.5, "in-reply-to": 99.5, "references": 99.5,
	"date": 99, "text": 97, "attachments": 98, "kind": 99, "status": 98, "reply": 95, "reply holds": 95, "status not given": 90,
}

func TestRealMailsAreReadAsOthersReadThem(t *testing.T) {
	dir := folder(t)
	if dir == "" {
		return
	}
	cases, err := load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	results := measure(cases)
	for _, r := range results {
		if r.check == "kind" && (r.want == "normal" || r.want == "not_bounce") && strings.HasPrefix(r.got, "bounce") {
			t.Errorf("%s/%s is no bounce: %s", r.corpus, r.name, r.got)
		}
	}
	rep := summarize(results)
	for _, sum := range totals(rep) {
		if rate := 100 * float64(sum.Passed) / float64(sum.Cases); rate < rates[sum.Check] {
			t.Errorf("%s: %d of %d, %.1f %%, at least %.1f %% are due", sum.Check, sum.Passed, sum.Cases, rate, rates[sum.Check])
		}
	}
	for _, r := range rep.Corpora {
		if r.Name == "discourse-email_reply_trimmer" && r.Check == "reply" && r.Passed*100 < r.Cases*95 {
			t.Errorf("%s: %v", r.Name, r.Failed)
		}
	}
}

const example = `{"corpus":"own","case":"hello","input":"hello.eml","input_kind":"rfc822","kind":"normal","expect":{"reply_text":"Hello"},
"oracle":{"consensus":{"subject":{"value":"Hi there"},"from":{"value":[{"name":"Bob","address":"bob@example.com"}]},"text":{"value":"Other"}},"attachment_sha256_agreed_by_2":["00"]}}`

func TestReportNamesChecksAndFailingCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"hello.json": example, "hello.eml": "From: Bob <bob@example.com>\r\nSubject: Hi\r\n there\r\n\r\nHello\r\n\r\n-- \r\nBob\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, "own", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(&out, dir, true, "", ""); err != nil {
		t.Fatal(err)
	}
	var rep report
	if err := json.Unmarshal(out.Bytes(), &rep); err != nil {
		t.Fatal(err)
	}
	for _, r := range rep.Corpora {
		fails := r.Check == "text" || r.Check == "attachments"
		if r.Name != "own" || r.Cases != 1 || fails != slices.Equal(r.Failed, []string{"hello"}) || fails == (r.Passed == 1) {
			t.Errorf("%+v", r)
		}
	}
	if len(rep.Corpora) != 7 {
		t.Errorf("%d checks: %+v", len(rep.Corpora), rep.Corpora)
	}
}

func TestFolderWithoutCasesIsAnError(t *testing.T) {
	t.Parallel()
	if err := run(&bytes.Buffer{}, t.TempDir(), false, "", ""); err == nil {
		t.Error("no error")
	}
}

func TestMailboxFilesHoldSeveralMails(t *testing.T) {
	t.Parallel()
	one, two := "From a@b Mon Mar  3 17:21:00 2025\nSubject: 1\n\nFrom here on, text.\n", "From c@d Mon Mar  3 17:22:00 2025\nSubject: 2\n\nx\n"
	if got := splitMbox([]byte(one + "\n" + two)); len(got) != 2 || !strings.HasPrefix(string(got[1]), "From c@d") {
		t.Errorf("%q", got)
	}
}

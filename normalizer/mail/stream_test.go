package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// streamed reads a mail as a stream and gives the files back where they belong.
func streamed(raw []byte, small int) (*Mail, map[string]string, error) {
	files := map[string]string{}
	m, err := parseStream(bytes.NewReader(raw), Limits{}, small, func(body io.Reader) (string, error) {
		b, err := io.ReadAll(body)
		name := fmt.Sprint("file", len(files))
		files[name] = string(b)
		return name, err
	})
	return m, files, err
}

// sameAsWhole compares a mail read as a stream with the same mail read as a whole.
func sameAsWhole(t *testing.T, raw []byte, small int) (aside int) {
	t.Helper()
	m, files, err := streamed(raw, small)
	if errors.Is(err, ErrOpaque) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	whole := Parse(raw, Limits{})
	if m.Text != whole.Text || m.HTML != whole.HTML || m.Subject != whole.Subject || m.Kind != whole.Kind || len(m.Attachments) != len(whole.Attachments) {
		t.Fatalf("text %.80q and %.80q, %s and %s, %d and %d files", m.Text, whole.Text, m.Kind, whole.Kind, len(m.Attachments), len(whole.Attachments))
	}
	for i, a := range m.Attachments {
		w := whole.Attachments[i]
		data := string(a.Data)
		if a.Aside != "" {
			aside++
			data = files[a.Aside]
		}
		if data != string(w.Data) || a.Size != w.Size || a.Digest != w.Digest || a.Name != w.Name || a.Type != w.Type || a.Inline != w.Inline {
			t.Fatalf("%s: %d bytes (%d told), want %s: %d", a.Name, len(data), a.Size, w.Name, len(w.Data))
		}
	}
	return aside
}

// wrapped is base64 in lines as mailers write it.
func wrapped(data []byte) string {
	var out strings.Builder
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(76, len(text))
		out.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return out.String()
}

func TestBigFilesAreReadAsAStreamLikeTheWhole(t *testing.T) {
	t.Parallel()
	data := []byte(strings.Repeat("\x00\xff binary \r\n--not-b\r\n", 40_000))
	text := strings.Repeat("line of a file, =E4=BD=A0 = and a=\r\n soft break\r\n", 20_000)
	bounce := "Message-ID: <inner@x>\r\nSubject: returned\r\n\r\n" + text
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	hello := part("Content-Type: text/plain; charset=utf-8", "你好")
	file := part("Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64", wrapped(data))
	for _, c := range []struct {
		name, raw string
		aside     int
	}{
		{"base64", hello + file + "--b--\r\nepilogue\r\n", 1},
		{"two and a text between", hello + file + part("Content-Type: text/plain", "between") + file + "--b--\r\n", 2},
		{"no last delimiter", hello + file, 1},
		{"line feeds alone", strings.ReplaceAll(hello+file+"--b--\n", "\r\n", "\n"), 1},
		{"quoted-printable", hello + part("Content-Type: text/csv; name=x.csv\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: quoted-printable", text) + "--b--\r\n", 1},
		{"as it is", hello + part("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit", text) + "--b--\r\n", 1},
		{"damaged base64", hello + part("Content-Type: image/png\r\nContent-Transfer-Encoding: base64", wrapped(data)+"!!"+wrapped(data[:1000])) + "--b--\r\n", 1},
		{"returned mail", hello + part("Content-Type: message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.c\r\nAction: failed\r\nStatus: 5.2.2") + part("Content-Type: message/rfc822", bounce) + "--b--\r\n", 1},
		{"container in a container", hello + part("Content-Type: multipart/related; boundary=inner", "--inner\r\nContent-Type: text/html\r\n\r\n<img src=cid:p>\r\n--inner\r\nContent-Type: image/png\r\nContent-ID: <p>\r\nContent-Transfer-Encoding: base64\r\n\r\n"+wrapped(data)+"--inner--") + file + "--b--\r\n", 2},
		{"small file", hello + part("Content-Type: image/png\r\nContent-Transfer-Encoding: base64", wrapped(data[:5000])) + "--b--\r\n", 0},
		{"long text", part("Content-Type: text/plain", text) + "--b--\r\n", 0},
		{"uuencoded", hello + part("Content-Type: image/png\r\nContent-Transfer-Encoding: x-uuencode", text) + "--b--\r\n", 0},
		{"a mark written by the sender", hello + part("Content-Type: image/png", "file-kept-aside-0-840000") + file + "--b--\r\n", 0},
	} {
		head := "From: a@b.c\r\nSubject: =?utf-8?B?5L2g5aW9?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n"
		if c.name == "returned mail" {
			head = strings.Replace(head, "mixed;", "report; report-type=delivery-status;", 1)
		}
		if strings.Contains(c.name, "line feeds") {
			head = strings.ReplaceAll(head, "\r\n", "\n")
		}
		if got := sameAsWhole(t, []byte(head+c.raw), fileInMemory); got != c.aside {
			t.Errorf("%s: %d files set aside, want %d", c.name, got, c.aside)
		}
	}
	if got := sameAsWhole(t, []byte("From: a@b.c\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"+wrapped(data)), fileInMemory); got != 1 {
		t.Error("a mail that is one file was not read as a stream")
	}
}

func TestFailureToKeepAFileIsToldAndNotSwallowed(t *testing.T) {
	t.Parallel()
	raw := "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(make([]byte, 1<<20))
	full := errors.New("disk full")
	if _, err := ParseStream(strings.NewReader(raw), Limits{}, func(io.Reader) (string, error) { return "", full }); !errors.Is(err, full) {
		t.Errorf("told %v", err)
	}
	broken := io.MultiReader(strings.NewReader(raw[:900_000]), &failing{full})
	if _, err := ParseStream(broken, Limits{}, func(r io.Reader) (string, error) {
		_, err := io.Copy(io.Discard, r)
		return "x", err
	}); !errors.Is(err, full) {
		t.Errorf("told %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzStream(f *testing.F) {
	big := wrapped(bytes.Repeat([]byte("0123456789"), 30))
	f.Add("Content-Type: multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nBIG\r\n--b--")
	f.Add("Content-Type: multipart/mixed; boundary=b", "--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\nhi\n--bb\nContent-Type: message/rfc822\n\nSubject: x\n\nBIG\n--bb--\n--b\n\n")
	f.Add("Content-Type: application/pdf", "BIG")
	f.Fuzz(func(t *testing.T, head, body string) {
		raw := []byte("From: a@b.c\r\n" + head + "\r\n\r\n" + strings.Replace(body, "BIG", big, 2))
		sameAsWhole(t, raw, 100)
	})
}

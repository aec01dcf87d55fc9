package email_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"

	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// limitMB is what the whole process may take from the system, the test's own servers included.
const limitMB = 200

// TestBigMailsDoNotFillTheMemory sends big mails the whole way into tickets, each case in a process of its own: what a process has
// taken from the system once it does not give back.
func TestBigMailsDoNotFillTheMemory(t *testing.T) {
	if which := os.Getenv("HEARBACK_BIG_MAILS"); which != "" {
		count, size, _ := strings.Cut(which, "x")
		bigMails(t, atoi(count), atoi(size))
		return
	}
	t.Parallel()
	for _, which := range []string{"10x10", "2x50"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBigMailsDoNotFillTheMemory$", "-test.v", "-test.timeout=3m")
		cmd.Env = append(os.Environ(), "HEARBACK_BIG_MAILS="+which)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s MB: %v\n%s", which, err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "the process took") {
				t.Logf("%s MB: %s", which, strings.TrimSpace(line))
			}
		}
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// bigMails are count mails with one file of so many megabytes each.
func bigMails(t *testing.T, count, megabytes int) {
	d := mailtest.Own(t)
	box := d.Box("support")
	line := strings.Repeat("QUJD", 19) + "\r\n"
	lines := megabytes << 20 * 4 / 3 / 76
	for n := range count {
		head := fmt.Sprintf("From: c%d@shop.test\r\nSubject: file %d\r\nMessage-ID: <f%d@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+
			"--b\r\nContent-Type: text/plain\r\n\r\nsee file %d\r\n--b\r\nContent-Type: application/octet-stream; name=f.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n", n, n, n, n)
		tail := fmt.Sprintf("%08d\r\n--b--\r\n", n)
		cmd := box.Append("INBOX", int64(len(head)+lines*len(line)+len(tail)), nil)
		io.WriteString(cmd, head)
		for range lines {
			io.WriteString(cmd, line)
		}
		io.WriteString(cmd, tail)
		cmd.Close()
		if _, err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	h := openHouse(t, storetest.SQLite(t), settings(d, nil, "max_mail_mb", "100"))
	for range count {
		m := h.message("with its file", func(m desk.Message) bool { return len(m.Attachments) == 1 })
		if size := m.Attachments[0].Size; size != int64(lines*57+6) {
			t.Errorf("a file of %d bytes, want %d", size, lines*57+6)
		}
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample) // never shrinks: what was taken from the system at the peak
	mb := sample[0].Value.Uint64() >> 20
	t.Logf("the process took %d MB", mb)
	if mb > limitMB {
		t.Errorf("%d MB are more than %d", mb, limitMB)
	}
}

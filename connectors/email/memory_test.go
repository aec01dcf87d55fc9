package email_test

import (
	"fmt"
	"io"
	"runtime/metrics"
	"strings"
	"testing"

	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// TestAHundredMegabytesOfFilesDoNotFillTheMemory sends ten mails with 10 MB of files each the whole way into tickets.
func TestAHundredMegabytesOfFilesDoNotFillTheMemory(t *testing.T) {
	d := mailtest.Start(t)
	box := d.Box("support")
	line := strings.Repeat("QUJD", 19) + "\r\n"
	lines := 10 << 20 * 4 / 3 / 76
	for n := range 10 {
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
	h := openHouse(t, storetest.SQLite(t), settings(d, nil))
	for range 10 {
		h.message("with its file", func(m desk.Message) bool { return len(m.Attachments) == 1 && m.Attachments[0].Size > 9<<20 })
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample) // never shrinks: what was taken from the system at the peak
	if mb := sample[0].Value.Uint64() >> 20; mb > 200 {
		t.Errorf("the process took %d MB", mb)
	} else {
		t.Logf("the process took %d MB", mb)
	}
}

package tencent

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestPhonesAndTheirWindowsOutliveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "phones.json")
	before := newWorld(t)
	c := before.Customer("wxb11529c136998cb6", "oCustomer-1")
	if _, err := c.SendImage(context.Background(), "a.png", PNG); err != nil {
		t.Fatal(err)
	}
	before.post("/cgi-bin/message/custom/send?access_token="+before.token(false), sendText(c, "one"))
	if err := before.Save(path); err != nil {
		t.Fatal(err)
	}

	after := newWorld(t)
	if err := after.Load(path); err != nil {
		t.Fatal(err)
	}
	c = after.Customer("wxb11529c136998cb6", "oCustomer-1")
	if lines := c.Inbox(); len(lines) != 2 || lines[1].Text != "one" || !bytes.Equal(lines[0].Data, PNG) {
		t.Errorf("the phone shows %d lines", len(lines))
	}
	if code, _ := after.post("/cgi-bin/message/custom/send?access_token="+after.token(false), sendText(c, "two")); code != 0 {
		t.Errorf("an answer after the restart: %d", code)
	}
	if _, left := c.Window(); left != 3 {
		t.Errorf("%d left, want 3", left)
	}
}

func TestABrokenFileOfPhonesIsSaidToBeOne(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "phones.json")
	if err := w.Load(path); err != nil {
		t.Errorf("no file: %v", err)
	}
	os.WriteFile(path, []byte("{"), 0o600)
	if err := w.Load(path); err == nil {
		t.Error("half a file was taken")
	}
}

package storetest

import (
	"strings"
	"time"

	"hearback/desk"
)

func testDuplicates(w *World) {
	first := w.envelope("a", "hello")
	first.Digest = "d1"
	same, other := first, first
	other.Digest = "d2"
	got := w.put(first, same)
	if got[0].Duplicate || got[0].Seq != 1 || !got[1].Duplicate || got[1].ID != got[0].ID || got[1].Seq != 1 || got[1].Conflict {
		w.Errorf("within one call: %+v", got)
	}
	again := w.put(other, w.envelope("a", "next"))
	if !again[0].Duplicate || !again[0].Conflict || again[0].ID != got[0].ID || again[0].Seq != 1 {
		w.Errorf("with other content: %+v", again[0])
	}
	if again[1].Duplicate || again[1].Seq <= 1 {
		w.Errorf("the next message: %+v", again[1])
	}
}

func testForeignBytes(w *World) {
	e := w.envelope("nul\x00sender", "raw\x00bytes\xff")
	e.ExternalID = "bad\xff\x00id"
	e.Meta = map[string]string{"h\x00": "v\x00\xfe", "path": `\u0000`}
	repeat := e
	got := w.put(e)
	if again := w.put(repeat); !again[0].Duplicate || again[0].ID != got[0].ID {
		w.Errorf("the same broken id again is not recognized: %+v", again[0])
	}
	w.Clock.Pass(2 * time.Minute)
	claimed, err := w.Store.ClaimInbox(w.ctx, 10, w.in(time.Minute))
	w.ok(err)
	if len(claimed) != 1 || string(claimed[0].Raw) != "raw\x00bytes\xff" {
		w.Fatalf("claimed %+v", claimed)
	}
	if claimed[0].Meta["path"] != `\u0000` || strings.Contains(claimed[0].Sender, "\x00") {
		w.Errorf("meta %q sender %q", claimed[0].Meta, claimed[0].Sender)
	}
}

func testClaimOrder(w *World) {
	w.put(w.envelope("a", "1"), w.envelope("b", "1"), w.envelope("a", "2"), w.envelope("a", "3"))
	if due, err := w.Store.NextInboxDue(w.ctx); err != nil || due != w.in(time.Minute) {
		w.Errorf("next due %v %v", due, err)
	}
	claim := func(limit int) []desk.Envelope {
		got, err := w.Store.ClaimInbox(w.ctx, limit, w.in(time.Minute))
		w.ok(err)
		return got
	}
	if got := claim(10); len(got) != 0 {
		w.Fatalf("claimed %d rows that are leased", len(got))
	}
	w.Clock.Pass(time.Hour)
	got := claim(2)
	if len(got) != 2 || string(got[0].Raw) != "1" || got[0].Attempts != 2 {
		w.Fatalf("first claim: %+v", got)
	}
	if rest := claim(10); len(rest) != 0 {
		w.Fatalf("claimed %d rows behind unfinished ones of their sender", len(rest))
	}
	w.ok(w.Store.FailInbox(w.ctx, got[0].ID, "no such codec", w.in(time.Second), true))
	w.Clock.Pass(time.Second)
	if rest := claim(10); len(rest) != 2 || string(rest[0].Raw) != "2" || string(rest[1].Raw) != "3" {
		w.Fatalf("after the first died: %+v", rest)
	}
}

func testLog(w *World) {
	w.put(w.envelope("v", "one"))
	n, err := w.Store.AppendLog(w.ctx, channel, "v", "reply-1", []byte("two"))
	w.ok(err)
	again, err := w.Store.AppendLog(w.ctx, channel, "v", "reply-1", []byte("two"))
	w.ok(err)
	last := w.put(w.envelope("v", "three"))[0].Seq
	if n != 2 || again != n || last <= n {
		w.Errorf("numbers %d %d %d", n, again, last)
	}
	entries, err := w.Store.ReadLog(w.ctx, channel, "v", 0, 10)
	w.ok(err)
	var text []string
	for _, e := range entries {
		text = append(text, string(e.Body))
	}
	if strings.Join(text, " ") != "one two three" || !entries[0].Inbound || entries[1].Inbound || entries[1].ID != "reply-1" {
		w.Errorf("log %+v", entries)
	}
	if entries, err = w.Store.ReadLog(w.ctx, channel, "v", n, 10); err != nil || len(entries) != 1 {
		w.Errorf("after %d: %v %v", n, entries, err)
	}
	if got, err := w.Store.LastLog(w.ctx, channel, "v"); err != nil || got != last {
		w.Errorf("last %d %v", got, err)
	}
}

package email_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
)

func open(t testing.TB, house *connectortest.House, set map[string]string) *connectortest.Env {
	return connectortest.OpenChannel(t, email.Kind, house, set)
}

func newHouse(t testing.TB) *connectortest.House { return connectortest.NewHouse(t) }

// ids are the external ids that came, without digests, sorted.
func ids(all []desk.Envelope) (out []string) {
	for _, e := range all {
		id, _, _ := strings.Cut(e.ExternalID, " ")
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func TestGapOfThirtyHoursIsFetchedWholeAndOnce(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil, "import", "new"))
	mailtest.Eventually(t, "a position", func() bool { return house.Inbox.Cursor(e.Channel.ID) != nil })
	support.Put(letter(0))
	wait(t, e, 1)
	e.Close()
	for n := 1; n <= 450; n++ { // over thirty hours, and marked as read by somebody meanwhile
		raw := letter(n)
		cmd := support.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: time.Now().Add(time.Duration(n-450) * 4 * time.Minute), Flags: []imap.Flag{imap.FlagSeen}})
		io.WriteString(cmd, raw)
		cmd.Close()
		if _, err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	house.Clock.Advance(30 * time.Hour)
	got := wait(t, e.Again(t), 451)
	if n := len(slices.Compact(ids(got))); n != 451 {
		t.Errorf("%d different mails", n)
	}
}

func TestFirstImportTakesWhatWasChosen(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	raw := letter(1)
	cmd := support.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: old})
	io.WriteString(cmd, raw)
	cmd.Close()
	if _, err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	support.Put(letter(2))
	for _, c := range []struct{ choice, want string }{
		{"all", "[m1@shop.test m2@shop.test m3@shop.test]"},
		{"days:30", "[m2@shop.test m3@shop.test]"},
		{"new", "[m3@shop.test]"},
	} {
		t.Run(c.choice, func(t *testing.T) {
			house := connectortest.NewHouse(t)
			e := open(t, house, settings(d, nil, "import", c.choice, "after_fetch", "leave"))
			mailtest.Eventually(t, "a position", func() bool { return house.Inbox.Cursor(e.Channel.ID) != nil })
			e.Close() // the position outlives a stop before the first mail
			uid := support.Put(letter(3))
			defer support.Remove(uid)
			again := e.Again(t)
			got := wait(t, again, strings.Count(c.want, "@"))
			if s := fmt.Sprint(ids(got)); s != c.want {
				t.Errorf("took %s, want %s", s, c.want)
			}
			if flags, _ := support.Flags(uid); slices.Contains(flags, imap.FlagSeen) {
				t.Error("marked although it was to be left")
			}
		})
	}
}

func TestFetchedMailIsMovedWhereTheAdminWants(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	support.Put(letter(1))
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil, "after_fetch", "move:Done/回音", "imap_security", "starttls", "imap_port", fmt.Sprint(d.Plain)))
	wait(t, e, 1)
	mailtest.Eventually(t, "moved", func() bool { return len(d.Box("support").MailsIn("Done/回音")) == 1 })
	if n := len(support.Mails("INBOX")); n != 0 {
		t.Errorf("%d mails are left", n)
	}
}

func TestNewNumberingLosesAndDoublesNothing(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	house := connectortest.NewHouse(t)
	for n := range 5 {
		support.Put(letter(n))
	}
	e := open(t, house, settings(d, nil))
	wait(t, e, 5)
	e.Close()
	before := support.Open("INBOX").UIDValidity
	// The folder is made anew, with the same mails and others that came meanwhile.
	all := support.Mails("INBOX")
	if err := support.Unselect().Wait(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(support.Rename("INBOX", "Old", nil).Wait(), support.Create("Spare", nil).Wait()); err != nil {
		t.Fatal(err)
	}
	for _, raw := range append([]string{letter(90)}, append(all, letter(91))...) {
		support.Put(raw)
	}
	if after := support.Open("INBOX").UIDValidity; after == before {
		t.Fatal("the numbering did not change")
	}
	got := wait(t, e.Again(t), 7)
	if n := len(slices.Compact(ids(got))); n != 7 || len(got) != 7 {
		t.Errorf("%d envelopes of %d mails", len(got), n)
	}
}

func TestCutInTheMiddleOfAFetchCostsNothing(t *testing.T) {
	d := mailtest.Start(t)
	p := mailtest.StartProxy(t, d.Plain)
	support := d.Box("support")
	for n := range 60 {
		support.Put(letter(n) + strings.Repeat("filling the mail up\r\n", 100))
	}
	for _, at := range []int64{9000, 40000, 90000} { // in the list of mails and in their bodies
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			house := connectortest.NewHouse(t)
			before := p.Broken()
			p.Allow(at)
			e := open(t, house, settings(d, nil, "imap_security", "none", "imap_port", fmt.Sprint(p.Port), "after_fetch", "leave"))
			mailtest.Eventually(t, "cut", func() bool { return p.Broken() > before })
			p.Allow(0)
			got := wait(t, e, 60)
			if n := len(slices.Compact(ids(got))); n != 60 || len(got) != 60 {
				t.Errorf("%d envelopes of %d mails", len(got), n)
			}
		})
	}
}

func TestLineThatDiesWhileIdleIsReplaced(t *testing.T) {
	d := mailtest.Start(t)
	p := mailtest.StartProxy(t, d.Plain)
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil, "imap_security", "none", "imap_port", fmt.Sprint(p.Port)))
	support := d.Box("support")
	support.Put(letter(1))
	wait(t, e, 1)
	p.Cut()
	support.Put(letter(2))
	wait(t, e, 2)
}

func TestServerWithoutIdleIsPolled(t *testing.T) {
	d := mailtest.Own(t, "protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR ID AUTH=PLAIN\n}")
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil, "poll_seconds", "1"))
	support := d.Box("support")
	for n := range 3 {
		support.Put(letter(n))
		wait(t, e, n+1)
	}
}

func TestReusedOrMissingMessageIDLosesNothing(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil))
	support.Put("From: a@x.test\r\nMessage-ID: <same@x>\r\nSubject: one\r\n\r\nfirst\r\n")
	support.Put("From: a@x.test\r\nMessage-ID: <same@x>\r\nSubject: one\r\n\r\nsecond\r\n")
	support.Put("Received: by another way\r\nFrom: a@x.test\r\nMessage-ID: <same@x>\r\nSubject: one\r\n\r\nfirst\r\n") // the first again
	support.Put("From: a@x.test\r\nSubject: none\r\n\r\nthird\r\n")
	support.Put("From: a@x.test\r\nMessage-ID: \r\nSubject: none\r\n\r\nfourth\r\n")
	support.Put("no header at all")
	support.Put("\r\n")
	support.Put(letter(1))
	got := wait(t, e, 7)
	if len(got) != 7 || house.Inbox.Calls() == 0 {
		t.Errorf("%d envelopes: %v", len(got), ids(got))
	}
	for _, env := range got {
		in, err := email.Kind.Decode(env)
		if err != nil || len(in) != 1 || in[0].From.Value == "" {
			t.Errorf("%s: %v", env.ExternalID, err)
		}
	}
}

func TestBigMailGoesToTheBlobStoreAndTooBigIsCut(t *testing.T) {
	d := mailtest.Start(t)
	support := d.Box("support")
	big := letter(1) + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 3000)
	support.Put(big)
	support.Put(letter(2) + strings.Repeat(strings.Repeat("y", 76)+"\r\n", 20000)) // 1.5 MB
	support.Put(letter(3))
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil, "max_mail_mb", "1"))
	got := wait(t, e, 3)
	if len(got[0].Raw) != 0 || got[0].RawBlob == "" || len(got[2].Raw) == 0 {
		t.Fatalf("big: %d bytes in memory, blob %q", len(got[0].Raw), got[0].RawBlob)
	}
	load := func(e desk.Envelope) desk.Envelope {
		r, err := house.Blobs.Open(context.Background(), e.RawBlob)
		if err != nil {
			t.Fatal(err)
		}
		e.Raw, _ = io.ReadAll(r)
		return e
	}
	if string(load(got[0]).Raw) != big {
		t.Error("the stored original is another")
	}
	in, _ := email.Kind.Decode(load(got[1]))
	if len(in) != 1 || len(in[0].Repairs) == 0 || !strings.Contains(in[0].Repairs[0], "too big") || !strings.Contains(in[0].Text, "第 2 个问题") {
		t.Errorf("nothing is said of what was cut: %v", in[0].Repairs)
	}
}

func TestRefusedLogInIsOfClassCredentials(t *testing.T) {
	d := mailtest.Own(t)
	house := connectortest.NewHouse(t)
	set := settings(d, nil, "imap_password", "wrong-password", "provider", "own")
	ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, set)}
	conn, err := email.Kind.Open(context.Background(), ch, house.Tools(ch))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.(connectors.Poller).Receive(context.Background())
	if got := connectors.AsSendError(err); got.Class != connectors.Credentials || got.Hint == "" {
		t.Errorf("class %s: %v", got.Class, err)
	}
	house.CheckSecrets(email.Kind, ch, err.Error())
	d.Stop()
	err = conn.(connectors.Poller).Receive(context.Background())
	if got := connectors.AsSendError(err); got.Class != connectors.Transient {
		t.Errorf("a server that is away is %s: %v", got.Class, err)
	}
}

func TestSettingsAreTriedAndTheFaultIsNamed(t *testing.T) {
	d := mailtest.Start(t)
	s := mailtest.StartSMTP(t, nil)
	for _, c := range []struct {
		name, want string
		more       []string
		auth       bool
	}{
		{name: "in order"},
		{"wrong password", "user name or password is wrong", []string{"imap_password", "wrong-password"}, false},
		{"wrong SMTP password", "SMTP: ", []string{"smtp_password", "wrong-password"}, false},
		{"authorization code", "authorization code", []string{"imap_password", "wrong-password", "provider", "qq"}, false},
		{"certificate", "certificate", []string{"tls_ca", ""}, false},
		{"no TLS here", "speaks no TLS", []string{"imap_port", fmt.Sprint(d.Plain)}, false},
		{"nobody there", "cannot be reached", []string{"imap_port", fmt.Sprint(mailtest.FreePort(t))}, false},
		{"no such folder", "no folder", []string{"imap_folder", "Nowhere"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			house := connectortest.NewHouse(t)
			ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, settings(d, s, c.more...))}
			err := email.Kind.Test(context.Background(), ch, house.Tools(ch))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("told %v, want %q", err, c.want)
			}
			if err != nil {
				house.CheckSecrets(email.Kind, ch, err.Error())
			}
		})
	}
}

func TestNewMailIsNoticedWhileIdle(t *testing.T) {
	d := mailtest.Start(t)
	house := connectortest.NewHouse(t)
	e := open(t, house, settings(d, nil))
	support := d.Box("support")
	support.Put(letter(0))
	wait(t, e, 1)
	var took []time.Duration
	for n := 1; n <= 5; n++ {
		began := time.Now()
		support.Put(letter(n))
		wait(t, e, n+1)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("from delivery to accepted: %v", took)
	if took[2] > 3*time.Second {
		t.Errorf("new mail is noticed after %v", took)
	}
}

func TestLiveLogNamesEachMailThatCame(t *testing.T) {
	d := mailtest.Start(t)
	house := newHouse(t)
	ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, settings(d, nil))}
	tools := house.Tools(ch)
	notes := make(chan connectors.Note, 100)
	tools.Note = func(n connectors.Note) { notes <- n }
	conn, err := email.Kind.Open(context.Background(), ch, tools)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); conn.(connectors.Poller).Receive(ctx) }()
	defer func() { cancel(); <-done; conn.Close() }()
	support := d.Box("support")
	for n := range 3 {
		uid := support.Put(letter(n))
		if note := <-notes; note.What != "mail" || note.Ref != fmt.Sprint("UID ", uid) || note.Remote != "127.0.0.1" || note.Refused {
			t.Errorf("the log says %+v", note)
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"hearback/normalizer/mail"
)

// A result is one check on one case.
type result struct {
	corpus, name, check string
	ok                  bool
	want, got           string
}

// tooSlow is how long one mail may take before it counts as hanging.
const tooSlow = 5 * time.Second

func measure(cases []testCase) []result {
	var results []result
	for i := range cases {
		c := checker{c: &cases[i]}
		if c.c.InputKind == "rfc822" {
			c.mail()
		} else {
			c.body()
		}
		results = append(results, c.results...)
	}
	return results
}

// checker compares one case with what is known about it.
type checker struct {
	c       *testCase
	results []result
}

func (k *checker) add(check string, ok bool, want, got string) {
	k.results = append(k.results, result{corpus: k.c.Corpus, name: k.c.Name, check: check, ok: ok, want: want, got: got})
}

// body checks a bare text or HTML body.
func (k *checker) body() {
	var p mail.Parts
	if k.c.InputKind == "html_body" {
		p = mail.SplitHTML(string(k.c.raw))
	} else {
		p = mail.Split(string(k.c.raw))
	}
	k.reply(p)
	k.peer()
}

// peer tells how the peer's own library does on the exact cases, for comparison.
func (k *checker) peer() {
	e, d := k.c.Expect, k.c.Derived
	compare := func(want, got *string) {
		if want != nil && got != nil {
			k.add("reply (peer's library)", trim(*want) == trim(*got), *want, *got)
		}
	}
	compare(e.ReplyText, d.Latest)
	compare(e.VisibleText, d.Visible)
	if len(d.Fragments) > 0 {
		compare(e.FirstFragment, &d.Fragments[0].Text)
	}
	latest := d.Latest
	if latest == nil {
		latest = d.Visible
	}
	if latest == nil {
		return
	}
	for _, part := range e.ReplyContains {
		k.add("reply holds (peer's library)", strings.Contains(*latest, part), part, *latest)
	}
	for _, part := range e.ReplyNot {
		k.add("reply leaves out (peer's library)", !strings.Contains(*latest, part), part, *latest)
	}
}

// mail checks a whole mail.
func (k *checker) mail() {
	began := time.Now()
	m := mail.Parse(k.c.raw, mail.Limits{})
	took := time.Since(began)
	visible := strings.TrimSpace(m.Text) != "" || m.HTML != "" || len(m.Attachments) > 0 || m.Subject != "" || !hasBody(k.c.raw)
	k.add("outcome", visible && took < tooSlow, "something visible within "+tooSlow.String(), took.String())
	if k.wantsReply() {
		reply := mail.Parts{Reply: m.Reply, Signature: m.Signature, Quoted: m.Quoted, Segments: mail.Split(m.Text).Segments}
		k.reply(reply)
		k.peer()
	}
	k.kind(m)
	k.status()
	k.headers(m)
	k.text(m)
	k.digests(m)
}

// text compares the readable text. The parsers of the consensus stop at the first text part, ours shows all of them: the first
// part alone may match as well.
func (k *checker) text(m *mail.Mail) {
	v := k.c.Oracle.Consensus.Text
	if v == nil || k.c.Newline == "CR" {
		return
	}
	want := squeeze(v.Value)
	ok := want == squeeze(m.Text)
	if len(m.Bodies) > 0 {
		ok = ok || want == squeeze(m.Bodies[0])
	}
	k.add("text", ok, v.Value, m.Text)
}

func hasBody(raw []byte) bool {
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	_, body, ok := strings.Cut(text, "\n\n")
	return ok && strings.TrimSpace(body) != ""
}

func (k *checker) wantsReply() bool {
	e := k.c.Expect
	return e.ReplyText != nil || e.ReplyCompact != nil || e.VisibleText != nil || e.FirstFragment != nil || len(e.ReplyContains)+len(e.ReplyNot) > 0
}

// reply checks what was taken for new words. Peers differ in whether a signature is part of the visible text (FORMAT.md), so
// visible_text may hold it or not.
func (k *checker) reply(p mail.Parts) {
	e := k.c.Expect
	kept := p.Reply
	if keepsSignatures(k.c.Corpus) {
		kept = visible(p, true)
	}
	if e.ReplyText != nil {
		k.add("reply", trim(*e.ReplyText) == trim(p.Reply) || trim(*e.ReplyText) == trim(kept), *e.ReplyText, p.Reply)
	}
	if e.ReplyCompact != nil {
		k.add("reply", without(*e.ReplyCompact) == without(p.Reply) || without(*e.ReplyCompact) == without(kept), *e.ReplyCompact, p.Reply)
	}
	if e.VisibleText != nil {
		k.add("reply", trim(*e.VisibleText) == trim(p.Reply) || trim(*e.VisibleText) == trim(visible(p, true)) || trim(*e.VisibleText) == trim(visible(p, false)), *e.VisibleText, p.Reply)
	}
	if e.FirstFragment != nil {
		first := ""
		for _, s := range p.Segments {
			if first = s.Text; trim(first) != "" {
				break
			}
		}
		k.add("reply", trim(*e.FirstFragment) == trim(first), *e.FirstFragment, first)
	}
	for _, part := range e.ReplyContains {
		k.add("reply holds", strings.Contains(p.Reply, part), part, p.Reply)
	}
	for _, part := range e.ReplyNot {
		k.add("reply leaves out", !strings.Contains(p.Reply, part), part, p.Reply)
	}
}

// keepsSignatures: talon takes off quotes in one step and signatures in another; its cases for the first keep them.
func keepsSignatures(corpus string) bool {
	return corpus == "talon-standard_replies" || corpus == "talon-html_replies"
}

// visible joins all segments that a mail program of that family shows: everything up to the last reply segment, and the
// signature when asked.
func visible(p mail.Parts, signature bool) string {
	last := -1
	for i, s := range p.Segments {
		if s.Kind == mail.SegmentReply && trim(s.Text) != "" || signature && s.Kind == mail.SegmentSignature {
			last = i
		}
	}
	var b strings.Builder
	for _, s := range p.Segments[:last+1] {
		b.WriteString(s.Text)
	}
	return b.String()
}

// kind compares what wrote the mail: a person, a machine on somebody's behalf, or a mail system reporting.
func (k *checker) kind(m *mail.Mail) {
	if k.c.Kind == nil {
		return
	}
	want, got := *k.c.Kind, string(m.Kind)
	ok := want == got
	switch want {
	case "bounce":
		ok = got == "bounce" || got == "dsn_delayed" && m.Class == "bounce" // sisimai counts notices of delay as bounces
	case "not_bounce":
		ok = got != "bounce"
	case "normal":
		ok = got == "normal" || got == "list"
	case "auto_reply", "auto_generated":
		ok = got == "auto_reply" || got == "auto_generated"
	}
	k.add("kind", ok, want, got+" ("+m.Why+")")
}

// status compares the status of every recipient, in their order.
//
// Codes like 5.0.911 are no status codes of a report: sisimai makes them up when the report gives none. They are a check of their
// own, in which the class must agree: will the mail arrive after all or not.
func (k *checker) status() {
	var want, got []string
	for _, b := range k.c.Expect.Bounces {
		if b.Status != "" {
			want = append(want, b.Status)
		}
	}
	if k.c.Expect.Status != nil {
		want = append(want, *k.c.Expect.Status)
	}
	if len(want) == 0 {
		return
	}
	failed := true
	for _, raw := range splitMbox(k.c.raw) {
		m := mail.Parse(raw, mail.Limits{})
		if m.Bounce == nil {
			continue
		}
		failed = failed && !m.Bounce.Delayed()
		for _, r := range m.Bounce.Recipients {
			got = append(got, r.Status)
		}
	}
	check, ok := "status", slices.Equal(want, got)
	if slices.ContainsFunc(want, isMadeUp) {
		check, ok = "status not given", slices.EqualFunc(want, got, func(w, g string) bool {
			return !isMadeUp(w) && w == g || isMadeUp(w) && (w[0] == '4' && g[0] == '4' || w[0] == '5' && failed)
		})
	}
	k.add(check, ok, strings.Join(want, " "), strings.Join(got, " "))
}

func isMadeUp(status string) bool { return len(status) == 7 && strings.HasPrefix(status[1:], ".0.9") }

var mboxLine = regexp.MustCompile(`\nFrom \S+ [^\n]*\d{4}\r?\n[A-Z][A-Za-z-]*:`)

// splitMbox parts the mails of a mailbox file, as some inputs are. A server never hands over two mails as one.
func splitMbox(raw []byte) [][]byte {
	if !bytes.HasPrefix(raw, []byte("From ")) {
		return [][]byte{raw}
	}
	if bytes.IndexByte(raw, '\n') < 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	var mails [][]byte
	for {
		at := mboxLine.FindIndex(raw)
		if at == nil {
			return append(mails, raw)
		}
		cut := at[0] + bytes.Index(raw[at[0]:], []byte("From "))
		mails, raw = append(mails, raw[:cut]), raw[cut:]
	}
}

// headers compares with what at least two of three independent parsers read.
//
// Mails with bare CRs are left out: the parsers of the consensus do not read them, so it says nothing about them.
func (k *checker) headers(m *mail.Mail) {
	if k.c.Newline == "CR" {
		return
	}
	o := k.c.Oracle.Consensus
	if o.Subject != nil {
		k.add("subject", squeeze(o.Subject.Value) == squeeze(m.Subject), o.Subject.Value, m.Subject)
	}
	k.addresses("from", o.From, m.From)
	k.addresses("to", o.To, m.To)
	k.addresses("cc", o.Cc, m.Cc)
	if o.MessageID != nil {
		k.add("message-id", strings.Join(o.MessageID.Value, " ") == m.MessageID, strings.Join(o.MessageID.Value, " "), m.MessageID)
	}
	k.ids("in-reply-to", o.InReplyTo, m.InReplyTo)
	k.ids("references", o.Refs, m.References)
	if o.Date != nil {
		k.add("date", m.Date.Unix() == int64(o.Date.Value), time.Unix(int64(o.Date.Value), 0).UTC().String(), m.Date.UTC().String())
	}
}

func (k *checker) addresses(check string, want *agreed[[]address], got []mail.Address) {
	if want == nil {
		return
	}
	var w, g []string
	for _, a := range want.Value {
		w = append(w, fmt.Sprintf("%s <%s>", squeeze(a.Name), strings.ToLower(a.Address)))
	}
	for _, a := range got {
		g = append(g, fmt.Sprintf("%s <%s>", squeeze(a.Name), strings.ToLower(a.Address)))
	}
	k.add(check, slices.Equal(w, g), strings.Join(w, ", "), strings.Join(g, ", "))
}

func (k *checker) ids(check string, want *agreed[[]string], got []string) {
	if want != nil {
		k.add(check, slices.Equal(want.Value, got) || len(want.Value)+len(got) == 0, strings.Join(want.Value, " "), strings.Join(got, " "))
	}
}

// digests: every blob that two parsers decoded alike must be among ours.
func (k *checker) digests(m *mail.Mail) {
	if len(k.c.Oracle.Digests) == 0 {
		return
	}
	have := map[string]bool{}
	for _, p := range m.Parts {
		have[p.Digest] = true
	}
	for _, a := range m.Attachments {
		have[a.Digest] = true
	}
	missing := 0
	for _, d := range k.c.Oracle.Digests {
		if !have[d] {
			missing++
		}
	}
	k.add("attachments", missing == 0, fmt.Sprintf("%d blobs", len(k.c.Oracle.Digests)), fmt.Sprintf("%d missing", missing))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func without(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// trim compares bodies as the peers do: line ends alike, white space at the ends of lines and of the whole left out.
func trim(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\u00a0")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

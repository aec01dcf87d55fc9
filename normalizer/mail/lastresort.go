package mail

import (
	"bytes"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// secondReader lets enmime try a mail in which the first reader found nothing. When it finds nothing either, the body is shown
// as raw text.
func (w *walker) secondReader(raw, rest []byte) {
	if len(raw) <= 32<<20 && w.tryEnmime(raw) {
		w.fix.add(RepairSecondary, "")
		return
	}
	text, _ := sniff(rest[:min(len(rest), w.limits.Text)], "")
	w.bodies = append(w.bodies, body{text: clean(text), hasText: true})
	w.fix.add(RepairRaw, "")
}

func (w *walker) tryEnmime(raw []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	envelope, err := enmime.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return false
	}
	for _, p := range append(envelope.Attachments, envelope.Inlines...) {
		w.files = append(w.files, &fileRef{Attachment: Attachment{Name: fileName(p.FileName), Type: lower(p.ContentType), ContentID: p.ContentID, Data: p.Content, Digest: sum(p.Content)}, disposition: p.Disposition})
	}
	if strings.TrimSpace(envelope.Text) != "" || strings.TrimSpace(envelope.HTML) != "" {
		w.bodies = append(w.bodies, body{text: clean(envelope.Text), html: clean(envelope.HTML), hasText: envelope.Text != "", hasHTML: envelope.HTML != ""})
	}
	return len(w.files) > 0 || len(w.bodies) > 0
}

// rawMail shows a mail that nothing could read: its bytes as text.
func rawMail(raw []byte, limits Limits) *Mail {
	text, _ := sniff(raw[:min(len(raw), limits.Text)], "")
	text = clean(text)
	return &Mail{Text: text, Reply: text, Class: "normal", Kind: KindNormal, Why: "unreadable", Repairs: []Repair{{Code: RepairRaw, Detail: "panic"}}}
}

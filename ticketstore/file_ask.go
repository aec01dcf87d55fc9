package ticketstore

import (
	"cmp"

	"hearback/desk"
)

// An Asked is the payload of a job of kind "answer": a customer's question the house answers by itself.
type Asked struct {
	ChannelID  desk.ID       `json:"channel_id"`
	Sender     string        `json:"sender"`
	To         desk.Identity `json:"to"`
	Ask        string        `json:"ask"` // a ticket's number, or "*" for his open tickets
	EnvelopeID desk.ID       `json:"envelope_id"`
	Language   string        `json:"language,omitempty"`
}

// answerTries bounds how often an answer is tried, and answerWithin how long.
const (
	answerTries  = 10
	answerWithin = replyLife
)

// ask keeps a question: its answer is a job of this transaction.
func (f *filer) ask(it *item, i int, in *desk.Inbound) {
	language := clean(in.Language)
	if c := f.people.contacts[it.people[i]]; c != nil {
		language = cmp.Or(language, c.Language)
	}
	f.out.asked = append(f.out.asked, Asked{ChannelID: it.key.channel, Sender: it.key.sender, To: in.From, Ask: clean(in.Ask), EnvelopeID: it.Envelope.ID,
		Language: language})
	it.filed.Asked = true
}

func (f *filer) writeAsked() error {
	b := newBulk("id text, dedupe text, payload jsonb", len(f.out.asked))
	for _, a := range f.out.asked {
		b.add(desk.NewID(), "answer:"+a.EnvelopeID, jsonText(a))
	}
	_, err := f.t.bulkExec(b, `INSERT INTO jobs (id, kind, dedupe_key, payload, run_at, max, deadline_at, state, created_at)
		SELECT id, 'answer', dedupe, payload, ?, ?, ?, 'waiting', ? FROM v WHERE true ON CONFLICT DO NOTHING`,
		int64(f.now), answerTries, int64(f.now.Add(answerWithin)), int64(f.now))
	return err
}

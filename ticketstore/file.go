package ticketstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"hearback/desk"
)

// File puts claimed envelopes into tickets, all in one transaction, and returns what became of each, parallel to filings. It
// may be called again with the same envelopes: what is settled already comes back Skipped.
//
// Envelopes of one sender are filed by rising Seq. One whose earlier neighbour is unfinished and not in this call is Skipped and
// falls due again shortly. Everything a batch can look up or write together is one statement.
//
// Its commit is repeatable: the envelope is safe since PutInbox and stays due until this transaction is on disk.
func (s *Store) File(ctx context.Context, filings []Filing) ([]Filed, error) {
	var done *filer
	err := s.writeRepeatable(ctx, func(t *tx) error {
		f := newFiler(t, filings)
		done = f
		return f.run()
	})
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	return done.report(), nil
}

// filer is one File transaction: what was looked up, what each envelope leads to, and what is to be written.
type filer struct {
	t        *tx
	now      desk.Time
	items    []*item // senders' envelopes in order
	senders  map[senderKey]*senderLine
	people   people
	threads  threads
	tickets  map[desk.ID]*ticketWork
	siblings map[senderKey][]*ticketWork // the tickets by conversation
	order    []*ticketWork               // in the order they were touched
	replies  replies                     // deliveries that receipts speak of
	updates  map[desk.ID]*desk.Message
	members  map[member]bool // known to have written in a ticket
	out      outbox

	calls     map[callKey]*callWork
	callOrder []callKey
	callbacks map[desk.ID]desk.ID // ticket by the message that asked for the callback
	byContact map[desk.ID][]*ticketWork
	byNumber  map[string][]*ticketWork // tickets that wait for a call back
	missedOn  map[desk.ID]int          // calls missed so far, by ticket
	renamed   []*ticketWork            // their caller's number became known
	duty      duty
	retracted map[replyKey]replyRow // messages taken back, by the id they came under
	linked    []*desk.Message       // tell of tickets opened here, whose numbers come late
	closing   bool                  // no envelopes: a timer ends calls
}

// An item is one envelope being filed.
type item struct {
	*Filing
	key    senderKey
	line   *senderLine
	filed  *Filed
	skip   bool
	state  string // of the inbox row afterwards
	people []desk.ID
	moved  desk.ID // the contact this sender was known as until now
	later  desk.Time
}

// A senderLine is a row of senders.
type senderLine struct {
	senderKey
	contact desk.ID
	ticket  desk.ID
	from    desk.Identity
	window  window
	route   desk.ID // the ticket of another conversation that wrote here last
	dirty   bool
}

func newFiler(t *tx, filings []Filing) *filer {
	f := &filer{t: t, now: t.s.now(), senders: map[senderKey]*senderLine{}, tickets: map[desk.ID]*ticketWork{},
		siblings: map[senderKey][]*ticketWork{}, callbacks: map[desk.ID]desk.ID{}, byContact: map[desk.ID][]*ticketWork{}, byNumber: map[string][]*ticketWork{},
		missedOn: map[desk.ID]int{}, retracted: map[replyKey]replyRow{}, updates: map[desk.ID]*desk.Message{}, members: map[member]bool{}}
	f.people = newPeople(f.now)
	f.threads = threads{}
	f.replies = replies{}
	lines := map[senderKey][]*item{}
	for i := range filings {
		e := &filings[i].Envelope
		it := &item{Filing: &filings[i], key: senderKey{e.ChannelID, clean(e.Sender)}, filed: &Filed{EnvelopeID: e.ID}, state: "done"}
		lines[it.key] = append(lines[it.key], it)
		f.items = append(f.items, it)
	}
	f.out.given = slices.Clone(f.items)
	for _, line := range lines {
		slices.SortStableFunc(line, func(a, b *item) int { return cmp.Compare(a.Envelope.Seq, b.Envelope.Seq) })
	}
	// Each sender's places in the call are refilled in the order of his line; senders keep their order among each other.
	for i, it := range f.items {
		line := lines[it.key]
		f.items[i], lines[it.key] = line[0], line[1:]
	}
	return f
}

func (f *filer) run() error {
	steps := []struct {
		what string
		do   func() error
	}{
		{"lock senders", f.lockSenders},
		{"check turns", f.dropUnready},
		{"lock copies", f.lockCopies},
		{"lock calls", f.lockCalls},
		{"find people", f.findPeople},
		{"find threads", f.findThreads},
		{"find replies", f.findReplies},
		{"find retracted messages", f.findRetracted},
		{"read tickets", f.findTickets},
		{"find members", f.findMembers},
		{"read messages", f.readUpdated},
		{"count missed calls", f.countMissed},
		{"settle", f.settleAll},
		{"number tickets", f.numberTickets},
		{"write", f.writeAll},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// lockSenders reads the lines of all senders and, on PostgreSQL, holds them until the commit: two nodes never file one
// sender's envelopes at the same time. The order is the same everywhere.
func (f *filer) lockSenders() error {
	keys := map[senderKey]bool{}
	for _, it := range f.items {
		keys[it.key] = true
	}
	if f.closing {
		if err := f.t.addSenders(sortedKeys(keys)); err != nil {
			return err
		}
	}
	b := newBulk("channel_id text, sender text", len(keys))
	for _, k := range sortedKeys(keys) {
		b.add(k.channel, k.sender)
	}
	err := f.t.bulkEach(b, func(row *sql.Rows) error {
		l := &senderLine{}
		err := row.Scan(&l.channel, &l.sender, &l.contact, &l.ticket, &l.from.Type, &l.from.Value, &l.from.Scope, &l.from.Verified,
			&l.window.closes, &l.window.remaining, &l.window.reason, &l.window.at, &l.route)
		f.senders[l.senderKey] = l
		return err
	}, `SELECT s.channel_id, s.sender, s.contact_id, s.ticket_id, s.from_type, s.from_value, s.from_scope, s.from_verified,
		s.window_closes_at, s.window_remaining, s.window_reason, s.window_at, s.route_ticket_id FROM v
		CROSS JOIN senders s WHERE s.channel_id = v.channel_id AND s.sender = v.sender ORDER BY s.channel_id, s.sender`+f.t.s.dialect.forUpdate)
	for _, it := range f.items {
		it.line = f.senders[it.key]
		it.skip = it.line == nil // never accepted: nothing to file
	}
	return err
}

// dropUnready skips envelopes that are settled already, and those that have an unfinished earlier neighbour outside this call.
func (f *filer) dropUnready() error {
	if f.closing {
		return nil
	}
	last := map[senderKey]int64{}
	for _, it := range f.items {
		last[it.key] = max(last[it.key], it.Envelope.Seq)
	}
	b := newBulk("channel_id text, sender text, last bigint", len(last))
	for _, k := range sortedKeys(last) {
		b.add(k.channel, k.sender, last[k])
	}
	waiting := map[senderKey][]int64{}
	err := f.t.bulkEach(b, func(row *sql.Rows) error {
		var k senderKey
		var seq int64
		err := row.Scan(&k.channel, &k.sender, &seq)
		waiting[k] = append(waiting[k], seq)
		return err
	}, `SELECT d.channel_id, d.sender, d.seq FROM v
		CROSS JOIN inbox_due d WHERE d.channel_id = v.channel_id AND d.sender = v.sender AND d.seq <= v.last ORDER BY d.channel_id, d.sender, d.seq`)
	for _, it := range f.items {
		line := waiting[it.key]
		switch {
		case it.skip:
		case !slices.Contains(line, it.Envelope.Seq):
			it.skip = true // settled, or given twice in this call
		case line[0] != it.Envelope.Seq:
			f.putBack(it, blockedFor)
		default:
			waiting[it.key] = line[1:]
		}
	}
	return err
}

// putBack leaves an envelope unfiled and due again after d.
func (f *filer) putBack(it *item, d time.Duration) {
	it.skip, it.later = true, f.now.Add(d)
}

// live are the items to be filed.
func (f *filer) live(yield func(*item) bool) {
	for _, it := range f.items {
		if !it.skip && !yield(it) {
			return
		}
	}
}

// inbounds yields what live envelopes without a verdict mean.
func (f *filer) inbounds(yield func(*item, *desk.Inbound) bool) {
	for it := range f.live {
		if it.Outcome != "" {
			continue
		}
		for i := range it.Inbounds {
			if !yield(it, &it.Inbounds[i]) {
				return
			}
		}
	}
}

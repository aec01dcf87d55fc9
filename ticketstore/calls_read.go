package ticketstore

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

const callQuery = `SELECT c.channel_id, c.call_key, c.customer, c.contact_id, c.ticket_id, c.message_id, c.body FROM calls c`

func scanCall(row scanner) (CallRow, error) {
	var (
		c CallRow
		b callBody
	)
	err := row.Scan(&c.ChannelID, &c.Key, &c.Customer, &c.ContactID, &c.TicketID, &c.MessageID, jsonInto{&b})
	c.Call, c.AgentIDs, c.Rang, c.TeamID = b.Call, b.Agents, b.Rang, b.Team
	return c, err
}

// News is the live hint about a stored call, as File gave it.
func (c CallRow) News() desk.CallNews {
	return desk.CallNews{ChannelID: c.ChannelID, Call: withoutEvents(c.Call), ContactID: c.ContactID, TeamID: c.TeamID, AgentIDs: c.AgentIDs, Rang: c.Rang,
		TicketID: c.TicketID}
}

// Call reads one call with its events; desk.ErrNotFound when nothing was told of it.
func (s *Store) Call(ctx context.Context, channel desk.ID, key string) (CallRow, error) {
	c, err := one(ctx, s, s.read, scanCall, callQuery+` WHERE c.channel_id = ? AND c.call_key = ?`, channel, key)
	if err != nil {
		return CallRow{}, fmt.Errorf("read call: %w", err)
	}
	return c, nil
}

// LiveCalls lists the calls that ring or are talked in.
func (s *Store) LiveCalls(ctx context.Context) ([]CallRow, error) {
	found, err := list(ctx, s, s.read, scanCall, callQuery+` WHERE c.stale_at > 0 ORDER BY c.started_at, c.call_key`)
	if err != nil {
		return nil, fmt.Errorf("list live calls: %w", err)
	}
	return found, nil
}

// NextStaleCall tells when the next call is to be ended by CloseStaleCalls; 0 when none is live.
func (s *Store) NextStaleCall(ctx context.Context) (desk.Time, error) {
	due, err := one(ctx, s, s.read, plain[desk.Time], `SELECT COALESCE(MIN(stale_at), 0) FROM calls WHERE stale_at > 0`)
	if err != nil {
		return 0, fmt.Errorf("find next stale call: %w", err)
	}
	return due, nil
}

// staleAtOnce bounds one CloseStaleCalls.
const staleAtOnce = 200

// CloseStaleCalls ends calls nobody has told the end of, at the time of the last thing heard, and returns what became of each as
// File does: a missed one may open a ticket. Fewer than 200 mean that none is left. Nodes may do it at once.
func (s *Store) CloseStaleCalls(ctx context.Context) ([]Filed, error) {
	filings, err := s.staleCalls(ctx)
	if err != nil || len(filings) == 0 {
		return nil, err
	}
	var done *filer
	err = s.write(ctx, func(t *tx) error {
		done = newFiler(t, filings)
		done.closing = true
		return done.run()
	})
	if err != nil {
		return nil, fmt.Errorf("close stale calls: %w", err)
	}
	return done.report(), nil
}

// staleCalls makes of each stale call what File understands: its end, told by a timer.
func (s *Store) staleCalls(ctx context.Context) ([]Filing, error) {
	found, err := list(ctx, s, s.read, func(row scanner) (Filing, error) {
		var (
			f    Filing
			b    callBody
			plan Plan
			in   desk.Inbound
			key  string
		)
		in.Call = &desk.CallReport{}
		e := &f.Envelope
		err := row.Scan(&e.ChannelID, &key, &e.Sender, &in.Call.Customer, jsonInto{&b}, &e.Kind, &plan.TeamID)
		last := desk.Time(0)
		for _, told := range b.Call.Events {
			last = max(last, told.At)
		}
		in.Type, in.Call.ID = desk.EnvelopeMessage, key
		in.Call.Event = desk.CallEvent{Key: staleKey, Type: desk.CallHangup, At: last, Cause: staleKey}
		f.Inbounds, f.Plans = []desk.Inbound{in}, []Plan{plan}
		return f, err
	}, `SELECT c.channel_id, c.call_key, c.sender, c.customer, c.body, COALESCE(ch.kind, ''), COALESCE(ch.team_id, '') FROM calls c
		LEFT JOIN channels ch ON ch.id = c.channel_id WHERE c.stale_at > 0 AND c.stale_at <= ? ORDER BY c.stale_at LIMIT ?`, int64(s.now()), staleAtOnce)
	if err != nil {
		return nil, fmt.Errorf("find stale calls: %w", err)
	}
	return found, nil
}

// SetCallback changes a ticket's promise to call back by hand; what changes nothing writes nothing. desk.ErrClosed when the ticket
// is done, desk.ErrInvalid for a state that is none.
func (s *Store) SetCallback(ctx context.Context, ticket desk.ID, c desk.Callback, actor desk.Author) (desk.Ticket, []desk.Event, error) {
	var (
		after  desk.Ticket
		events []desk.Event
	)
	switch c.State {
	case "", "due", "requested", "done":
	default:
		return after, nil, fmt.Errorf("set callback: state %q: %w", c.State, desk.ErrInvalid)
	}
	c.Number = clean(c.Number)
	err := s.write(ctx, func(t *tx) error {
		events = nil
		l, err := t.timeline(ticket)
		if err != nil {
			return err
		}
		if l.w.Status.Done() {
			return desk.ErrClosed
		}
		after = l.w.Ticket
		if l.w.Callback == c {
			return nil
		}
		from := l.w.Callback.State
		l.w.Callback = c
		l.system("callback", actor, "", callbackData(from, c))
		if err := t.save(l); err != nil {
			return err
		}
		after, events = l.w.Ticket, l.told()
		return nil
	})
	if err != nil {
		return desk.Ticket{}, nil, fmt.Errorf("set callback: %w", err)
	}
	return after, events, nil
}

// moveCalls lets calls go with their messages.
func (t *tx) moveCalls(from, to desk.ID, messages []desk.ID) error {
	q, args, err := sqlx.In(`UPDATE calls SET ticket_id = ? WHERE ticket_id = ? AND message_id IN (?)`, to, from, messages)
	if err == nil {
		_, err = t.exec(q, args...)
	}
	if err != nil {
		return fmt.Errorf("move calls: %w", err)
	}
	return nil
}

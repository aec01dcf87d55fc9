package customer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// Store is what answering needs from the ticket store.
type Store interface {
	ClaimJobs(ctx context.Context, kinds []string, limit int, leaseUntil desk.Time) ([]ticketstore.Job, error)
	FinishJob(ctx context.Context, id desk.ID) error
	FailJob(ctx context.Context, id desk.ID, reason string, retryAt desk.Time) error
	ContactOf(ctx context.Context, i desk.Identity) (desk.ID, error)
	SenderTicket(ctx context.Context, channel desk.ID, sender string) (desk.Ticket, error)
	TicketByNumber(ctx context.Context, number string) (desk.Ticket, error)
	Tickets(ctx context.Context, f ticketstore.TicketFilter, reader desk.ID) ([]ticketstore.TicketRow, string, error)
	Agent(ctx context.Context, id desk.ID) (desk.Agent, error)
	Reply(ctx context.Context, in ticketstore.ReplyInput) (ticketstore.ReplyResult, error)
}

// Fleet finds the open connector of a channel.
type Fleet interface {
	Get(channel desk.ID) (connectors.Connector, desk.Channel, bool)
}

// Options is what answering works with. Store, Fleet and Logger are required.
type Options struct {
	Store   Store
	Fleet   Fleet
	Logger  *slog.Logger
	Publish func(context.Context, []desk.Event)
	Sent    func() // a message was written: wake delivery
	Now     func() time.Time
	Zone    *time.Location // in which times are told; nil: time.Local
}

// Answers answers questions for the state of tickets.
type Answers struct {
	o    Options
	kick chan struct{}
}

const (
	jobKind    = "answer"
	sweepEvery = 15 * time.Second
	leaseFor   = time.Minute
	lateAfter  = time.Hour
	atOnce     = 16
	shown      = 5 // open tickets told of
)

// New makes it; Run starts it.
func New(o Options) *Answers {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	return &Answers{o: o, kick: make(chan struct{}, 1)}
}

// Kick makes it look for questions now.
func (a *Answers) Kick() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// Run answers until ctx ends.
func (a *Answers) Run(ctx context.Context) error {
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.kick:
		case <-sweep.C:
		}
		a.round(ctx)
		sweep.Reset(sweepEvery)
	}
}

func (a *Answers) round(ctx context.Context) {
	for ctx.Err() == nil {
		jobs, err := a.o.Store.ClaimJobs(ctx, []string{jobKind}, atOnce, desk.At(a.o.Now().Add(leaseFor)))
		if err != nil {
			if ctx.Err() == nil {
				a.o.Logger.Warn("cannot claim questions; trying again", "err", err)
			}
			return
		}
		for _, j := range jobs {
			a.one(ctx, j)
		}
		if len(jobs) < atOnce {
			return
		}
	}
}

func (a *Answers) one(ctx context.Context, j ticketstore.Job) {
	var q ticketstore.Asked
	err := json.Unmarshal(j.Payload, &q)
	if err == nil {
		err = a.answer(ctx, q)
	}
	log := a.o.Logger.With("channel", q.ChannelID, "envelope", q.EnvelopeID)
	var refused *connectors.SendError
	late := desk.MadeAt(j.ID) != 0 && desk.At(a.o.Now()) > desk.MadeAt(j.ID).Add(lateAfter)
	final := late || errors.As(err, &refused) && refused.Class != connectors.Transient && refused.Class != connectors.Throttled
	switch {
	case err == nil || final:
		if err != nil {
			log.Warn("a question was not answered", "err", err)
		}
		err = a.o.Store.FinishJob(ctx, j.ID)
	default:
		log.Info("a question waits for its answer", "attempt", j.Attempts, "err", err)
		err = a.o.Store.FailJob(ctx, j.ID, err.Error(), desk.At(a.o.Now().Add(10*time.Second<<min(max(j.Attempts-1, 0), 8))))
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("cannot settle a question; its lease brings it back", "err", err)
	}
}

// answer finds what is asked for and says it: on the open ticket, else straight through the channel.
func (a *Answers) answer(ctx context.Context, q ticketstore.Asked) error {
	text, err := a.say(ctx, q)
	if err != nil {
		return err
	}
	open, err := a.o.Store.SenderTicket(ctx, q.ChannelID, q.Sender)
	switch {
	case err == nil && !open.Status.Done():
		return a.onTicket(ctx, q, open, text)
	case err != nil && !errors.Is(err, desk.ErrNotFound):
		return err
	}
	conn, _, on := a.o.Fleet.Get(q.ChannelID)
	if !on {
		return fmt.Errorf("the channel is switched off: %w", desk.ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	_, err = conn.Send(ctx, desk.Outbound{DeliveryID: q.EnvelopeID, MessageID: q.EnvelopeID, ChannelID: q.ChannelID, Sender: q.Sender, To: q.To, Text: text,
		ExternalID: "a" + q.EnvelopeID, Author: desk.Author{Kind: "system"}, Automatic: true, Attempt: 1, CreatedAt: desk.At(a.o.Now()), WindowRemaining: -1})
	return err
}

func (a *Answers) onTicket(ctx context.Context, q ticketstore.Asked, t desk.Ticket, text string) error {
	result, err := a.o.Store.Reply(ctx, ticketstore.ReplyInput{TicketID: t.ID, Author: desk.Author{Kind: "system"}, Text: text,
		IdempotencyKey: "answer-" + q.EnvelopeID, Automatic: true, KeepStatus: true})
	if err != nil {
		if errors.Is(err, desk.ErrConflict) {
			return nil // answered before; the state has changed meanwhile, and so has the text
		}
		return err
	}
	if a.o.Publish != nil {
		a.o.Publish(ctx, result.Events)
	}
	if a.o.Sent != nil {
		a.o.Sent()
	}
	return nil
}

// say is the answer in the customer's language.
func (a *Answers) say(ctx context.Context, q ticketstore.Asked) (string, error) {
	w := wordsFor(q.Language)
	contact, err := a.o.Store.ContactOf(ctx, q.To)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return "", err
	}
	if q.Ask != "*" {
		t, err := a.o.Store.TicketByNumber(ctx, q.Ask)
		if err != nil && !errors.Is(err, desk.ErrNotFound) {
			return "", err
		}
		if err != nil || contact == "" || t.ContactID != contact {
			return fmt.Sprintf(w.unknown, q.Ask), nil
		}
		return a.line(ctx, w, t, true), nil
	}
	if contact == "" {
		return w.none, nil
	}
	rows, _, err := a.o.Store.Tickets(ctx, ticketstore.TicketFilter{Scope: ticketstore.Scope{All: true}, ContactID: contact, Sort: "updated", Limit: shown,
		Status: []desk.Status{desk.StatusNew, desk.StatusOpen, desk.StatusWaiting, desk.StatusResolved}}, "")
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return w.none, nil
	}
	text := fmt.Sprintf(w.list, len(rows))
	for _, row := range rows {
		text += "\n" + a.line(ctx, w, row.Ticket, false)
	}
	return text + "\n" + w.more, nil
}

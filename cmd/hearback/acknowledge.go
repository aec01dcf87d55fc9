package main

import (
	"context"
	"fmt"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// automaticPerHour bounds what the house writes to one customer by itself, whatever happens: two machines that answer each other
// must come to rest.
const automaticPerHour = 3

// An opening is a ticket a person's message has just opened.
type opening struct {
	in     desk.Inbound
	ticket desk.Ticket
}

// opened puts an acknowledgement on its way; it never blocks. What finds no room or is lost with the process is not made up
// for: an acknowledgement that comes late confuses more than it helps.
func (h *house) opened(in desk.Inbound, t desk.Ticket) {
	in.HTML, in.Attachments = "", nil
	select {
	case h.openings <- opening{in, t}:
	default:
	}
}

// acknowledge writes the acknowledgements of kinds that have one.
func (h *house) acknowledge(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case o := <-h.openings:
			if err := h.acknowledgeOne(ctx, o); err != nil && ctx.Err() == nil {
				h.log.Warn("a new ticket was not acknowledged", "ticket", o.ticket.ID, "channel", o.ticket.ChannelID, "err", err)
			}
		}
	}
}

func (h *house) acknowledgeOne(ctx context.Context, o opening) error {
	_, ch, open := h.fleet.Get(o.ticket.ChannelID)
	kind, known := h.fleet.Kind(ch.Kind)
	if !open || !known || kind.Acknowledge == nil {
		return nil
	}
	text := kind.Acknowledge(ch, o.in, o.ticket.Number)
	if text == "" {
		return nil
	}
	if ok, err := h.mayWriteByItself(ctx, o.ticket); err != nil || !ok {
		return err
	}
	result, err := h.store.Reply(ctx, ticketstore.ReplyInput{TicketID: o.ticket.ID, Author: desk.Author{Kind: "system"}, Text: text,
		IdempotencyKey: "acknowledge-" + o.ticket.ID, Automatic: true, KeepStatus: true})
	if err != nil {
		return err
	}
	h.publish(ctx, result.Events)
	h.out.Kick()
	return nil
}

// mayWriteByItself takes one of the customer's places for automatic messages of this hour.
func (h *house) mayWriteByItself(ctx context.Context, t desk.Ticket) (bool, error) {
	for n := range automaticPerHour {
		taken, err := h.bus.Seen(ctx, fmt.Sprintf("automatic:%s:%s:%d", t.ChannelID, t.Sender, n), time.Hour)
		if err != nil {
			return false, fmt.Errorf("count automatic messages: %w", err)
		}
		if !taken {
			return true, nil
		}
	}
	return false, nil
}

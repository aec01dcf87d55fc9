package main

import (
	"context"
	"errors"
	"maps"

	"hearback/desk"
)

// A signalled is a passing hint of a channel about one of its senders.
type signalled struct {
	channel desk.ID
	typ     string
	sender  string
	data    map[string]string
}

// signal takes a hint without ever holding up the connector: what does not fit is dropped, typing comes again.
func (h *house) signal(channel desk.ID, typ, sender string, data map[string]string) {
	select {
	case h.signals <- signalled{channel, typ, sender, data}:
	default:
	}
}

// noted tells the pages of admins that a channel's live log has new lines.
func (h *house) noted(channel desk.ID) {
	h.publish(context.Background(), []desk.Event{{Type: "channel_log", Data: map[string]string{"id": channel}}})
}

// passSignals finds the ticket a hint is about and tells the consoles.
func (h *house) passSignals(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-h.signals:
			ticket, err := h.store.SenderTicket(ctx, s.channel, s.sender)
			if err != nil {
				if !errors.Is(err, desk.ErrNotFound) {
					h.log.Debug("a live hint was dropped", "channel", s.channel, "err", err)
				}
				continue
			}
			data := map[string]string{"kind": "contact", "id": ticket.ContactID}
			maps.Copy(data, s.data)
			h.publish(ctx, []desk.Event{{Type: s.typ, TicketID: ticket.ID, Ticket: &ticket, Data: data}})
		}
	}
}

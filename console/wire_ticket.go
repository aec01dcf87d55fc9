package console

import (
	"context"

	"hearback/desk"
	"hearback/ticketstore"
)

// wireRow is a ticket as the store's lists know it, with all names.
func (c *Console) wireRow(ctx context.Context, row ticketstore.TicketRow) Ticket {
	w := wireTicket(row.Ticket)
	w.Channel = ChannelRef{ID: row.ChannelID, Kind: row.ChannelKind, Name: row.ChannelName}
	w.Contact = ContactRef{ID: row.ContactID, Name: row.ContactName, Level: row.ContactLevel}
	if row.AssigneeID != "" {
		w.Assignee = &PersonRef{ID: row.AssigneeID, Name: row.AssigneeName}
	}
	if row.TeamID != "" {
		w.Team = &TeamRef{ID: row.TeamID, Name: row.TeamName}
	}
	w.LinkedTicket = c.linked(ctx, row.LinkedTicketID)
	w.Unread = row.Unread
	return w
}

// wireTicket is what needs no look-up.
func wireTicket(t desk.Ticket) Ticket {
	return Ticket{
		ID: t.ID, Number: t.Number, Status: string(t.Status), Priority: string(t.Priority), Subject: t.Subject,
		Channel: ChannelRef{ID: t.ChannelID, Kind: t.ChannelKind}, Contact: ContactRef{ID: t.ContactID},
		Tags: list(t.Tags), Fields: fields(t.Fields), Version: t.Version,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, FirstReplyAt: t.FirstReplyAt,
		FirstResponseDueAt: t.FirstResponseDueAt, ResolutionDueAt: t.ResolutionDueAt,
		ResolvedAt: t.ResolvedAt, ClosedAt: t.ClosedAt, SnoozedUntil: t.SnoozedUntil,
		LastMessage: LastMessage{Text: t.LastMessageText, By: t.LastMessageBy, At: t.LastMessageAt},
		Reply:       ReplyLimits{ChannelKind: t.ChannelKind, WindowClosesAt: t.WindowClosesAt, WindowReason: t.WindowReason, Remaining: t.WindowRemaining},
		Callback:    wireCallback(t.Callback),
	}
}

// linked names the ticket this one continues. Numbers never change, so each is read once.
func (c *Console) linked(ctx context.Context, id desk.ID) *TicketRef {
	if id == "" {
		return nil
	}
	if number, ok := c.numbers.get(id); ok {
		return &TicketRef{ID: id, Number: number}
	}
	t, err := c.store.Ticket(ctx, id)
	if err != nil {
		return &TicketRef{ID: id}
	}
	c.numbers.put(id, t.Number)
	return &TicketRef{ID: id, Number: t.Number}
}

func wireCallback(c desk.Callback) *Callback {
	if c.State == "" {
		return nil
	}
	return &Callback{State: c.State, Number: maskPhone(c.Number), DueAt: c.DueAt}
}

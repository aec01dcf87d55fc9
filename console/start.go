package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// startTicket is a conversation that we begin.
type startTicket struct {
	ChannelID      desk.ID   `json:"channel_id" minLength:"1" doc:"One of GET /api/v1/channels/startable."`
	To             string    `json:"to,omitempty" maxLength:"320" doc:"An address of the kind the channel takes. May be left out with contact_id: one he is known by."`
	Name           string    `json:"name,omitempty" maxLength:"200" doc:"What a new contact is called."`
	ContactID      desk.ID   `json:"contact_id,omitempty" doc:"When he is known already."`
	Subject        string    `json:"subject" maxLength:"500"`
	Text           string    `json:"text" maxLength:"20000"`
	HTML           string    `json:"html,omitempty" maxLength:"200000"`
	Cc             []string  `json:"cc,omitempty" maxItems:"50"`
	Bcc            []string  `json:"bcc,omitempty" maxItems:"50"`
	Attachments    []desk.ID `json:"attachments,omitempty" maxItems:"20" doc:"Ids of uploads made before."`
	TeamID         desk.ID   `json:"team_id,omitempty" doc:"Empty: the channel's."`
	AssignToMe     bool      `json:"assign_to_me,omitempty"`
	Means          string    `json:"means,omitempty" maxLength:"50" doc:"Empty: a written message; else one of the channel's means."`
	IdempotencyKey string    `json:"idempotency_key" minLength:"1" maxLength:"100" doc:"Made by the caller; the same key again answers with the first ticket."`
}

// Startable is a channel by which we may write first.
type Startable struct {
	Channel      ChannelRef   `json:"channel"`
	Takes        []string     `json:"takes" doc:"Kinds of addresses: email, phone."`
	Capabilities Capabilities `json:"capabilities"`
}

// samples are addresses every channel that takes their kind accepts.
var samples = []desk.Identity{{Type: "email", Value: "somebody@example.com"}, {Type: "phone", Value: "+8613800138000"}}

func (c *Console) registerStart(api huma.API) {
	add(api, post("start-ticket", "/api/v1/tickets", auth.TicketsWrite, "Begin a conversation with a customer", huma.OperationTags("Tickets"), answers(http.StatusCreated)), c.startTicket)
	add(api, get("list-startable", "/api/v1/channels/startable", auth.TicketsWrite, "Channels by which a conversation can be begun", huma.OperationTags("Channels")), c.listStartable)
}

func (c *Console) listStartable(_ context.Context, _ *struct{}) (*body[Page[Startable]], error) {
	var items []Startable
	for _, ch := range c.fleet.Channels() {
		open, _, ok := c.fleet.Get(ch.ID)
		takes := c.takes(ch)
		if !ok || len(takes) == 0 {
			continue
		}
		items = append(items, Startable{
			Channel: ChannelRef{ID: ch.ID, Kind: ch.Kind, Name: ch.Name}, Takes: takes, Capabilities: *wireCapabilities(open.Capabilities()),
		})
	}
	return page(items, ""), nil
}

// takes names the kinds of addresses a channel may write to first.
func (c *Console) takes(ch desk.Channel) []string {
	kind, ok := c.fleet.Kind(ch.Kind)
	if !ok || kind.Reach == nil {
		return nil
	}
	var kinds []string
	for _, sample := range samples {
		if _, ok := kind.Reach(ch, sample); ok {
			kinds = append(kinds, sample.Type)
		}
	}
	return kinds
}

// startTicket answers POST /api/v1/tickets: ticket, message and delivery commit together; nobody waits for the provider.
func (c *Console) startTicket(ctx context.Context, in *struct{ Body startTicket }) (*body[Ticket], error) {
	b, me := in.Body, caller(ctx)
	open, ch, ok := c.fleet.Get(b.ChannelID)
	if !ok {
		return nil, invalid("body.channel_id", "There is no such channel, or it is switched off.")
	}
	if err := c.checkStart(ctx, b, ch, open.Capabilities()); err != nil {
		return nil, err
	}
	to, sender, err := c.recipient(ctx, b, ch)
	if err != nil {
		return nil, err
	}
	start := ticketstore.Start{
		ChannelID: ch.ID, ChannelKind: ch.Kind, Sender: sender, To: to, Name: strings.TrimSpace(b.Name), ContactID: b.ContactID,
		TeamID: cmp.Or(b.TeamID, ch.TeamID), Subject: b.Subject, Text: b.Text, HTML: b.HTML, Cc: b.Cc, Bcc: b.Bcc,
		AttachmentIDs: b.Attachments, Author: me.author(), IdempotencyKey: b.IdempotencyKey, NewExternalID: c.newExternalID, Means: b.Means,
	}
	if b.AssignToMe {
		start.Assignee = me.Agent.ID
	}
	return c.start(ctx, start)
}

// checkStart judges what can be judged without the address.
func (c *Console) checkStart(ctx context.Context, b startTicket, ch desk.Channel, able connectors.Capabilities) error {
	if err := checkMeans(b.Means, b.Text, len(b.Attachments), able); err != nil {
		return err
	}
	if err := c.checkLetter(ch, b.Subject, b.Cc, b.Bcc); err != nil {
		return err
	}
	if b.TeamID != "" {
		if _, err := c.store.Team(ctx, b.TeamID); err != nil {
			return invalid("body.team_id", "There is no such team.")
		}
	}
	return nil
}

// checkMeans: the channel can do it, and it has the words it needs.
func checkMeans(means, text string, files int, able connectors.Capabilities) error {
	if means == "" {
		if able.NoText {
			return invalid("body.means", "This channel sends no written messages. Choose another way.")
		}
		return checkText("body.text", text, files == 0)
	}
	i := slices.IndexFunc(able.Means, func(m connectors.Means) bool { return m.Name == means })
	if i < 0 {
		return invalid("body.means", "The channel has no such way to answer.")
	}
	if max := able.Means[i].MaxText; max > 0 && len(text) > max {
		return invalid("body.text", "The text is too long for this way to answer.")
	}
	return checkText("body.text", text, able.Means[i].NeedsText)
}

// recipient is who the message goes to and the conversation it leaves by.
func (c *Console) recipient(ctx context.Context, b startTicket, ch desk.Channel) (desk.Identity, string, error) {
	kind, _ := c.fleet.Kind(ch.Kind)
	if kind.Reach == nil {
		return desk.Identity{}, "", invalid("body.channel_id", "On this channel the customer writes first.")
	}
	var known []desk.Identity
	if b.ContactID != "" {
		if err := c.seesContact(ctx, b.ContactID); err != nil {
			return desk.Identity{}, "", invalid("body.contact_id", "There is no such contact.")
		}
		contact, err := c.store.Contact(ctx, b.ContactID)
		if err != nil {
			return desk.Identity{}, "", err
		}
		for _, i := range contact.Identities {
			if i.Verified { // what he only claimed may be somebody else's
				known = append(known, i)
			}
		}
	}
	if to := strings.TrimSpace(b.To); to != "" {
		known = addressed(to)
	}
	for _, to := range known {
		if sender, ok := kind.Reach(ch, to); ok {
			return reached(to, sender), sender, nil
		}
	}
	if b.To == "" {
		return desk.Identity{}, "", invalid("body.to", "No address of this contact is known that the channel takes. Give one.")
	}
	return desk.Identity{}, "", invalid("body.to", "The channel cannot write to this address. Check it, or choose another channel.")
}

// addressed is what a typed address may mean. It proves nothing, so that it joins nobody.
func addressed(to string) []desk.Identity {
	if strings.ContainsFunc(to, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return nil
	}
	if strings.Contains(to, "@") {
		return []desk.Identity{{Type: "email", Value: strings.ToLower(to)}}
	}
	return []desk.Identity{{Type: "phone", Value: to}}
}

// reached is the address as the channel writes it: a typed number becomes E.164, which is the conversation's name too.
func reached(to desk.Identity, sender string) desk.Identity {
	if to.Type == "phone" && strings.HasPrefix(sender, "+") {
		to.Value = sender
	}
	return to
}

// start writes it, lets the ticket find its owner and wakes the delivery belt.
func (c *Console) start(ctx context.Context, start ticketstore.Start) (*body[Ticket], error) {
	result, err := c.store.Start(ctx, start)
	switch {
	case errors.Is(err, desk.ErrNotFound):
		return nil, invalid("body.contact_id", "There is no such contact.")
	case err != nil:
		return nil, keyReused(err)
	}
	if result.Again {
		return c.oneTicket(ctx, result.Ticket.ID)
	}
	c.publish(ctx, result.Events)
	c.kick()
	c.own(ctx, result.Ticket, start.Assignee)
	return c.oneTicket(ctx, result.Ticket.ID)
}

// own gives a ticket just begun to who began it, or to the queue. The ticket is there: without the load board the reconciler places
// it, and nobody is told that it failed.
func (c *Console) own(ctx context.Context, t desk.Ticket, assignee desk.ID) {
	if assignee == "" {
		c.settleLoad(ctx, t)
		return
	}
	result, err := c.router.Claim(ctx, t.ID, caller(ctx).Agent)
	if err != nil {
		c.logger.Warn("a ticket just begun has no owner yet; the reconciler places it", "ticket", t.ID, "err", err)
		return
	}
	c.publish(ctx, result.Events)
}

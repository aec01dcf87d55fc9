package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

// maxText is how many characters a reply or note may have.
const maxText = 20000

type writeReply struct {
	Text           string    `json:"text" maxLength:"20000"`
	HTML           string    `json:"html,omitempty" maxLength:"200000" doc:"The formatted form, for channels that can."`
	Attachments    []desk.ID `json:"attachments,omitempty" maxItems:"20" doc:"Ids of uploads made before."`
	IdempotencyKey string    `json:"idempotency_key" minLength:"1" maxLength:"100" doc:"Made by the caller; the same key again answers with the first message."`
	IfSeq          int64     `json:"if_seq,omitempty" minimum:"0" doc:"The last message the writer saw: a colleague's answer after it is a 409 colleague_answered."`
	Force          bool      `json:"force,omitempty" doc:"Send although a colleague answered."`
	Route          string    `json:"route,omitempty" maxLength:"100" doc:"Which way it leaves: the id of one of the ticket's reply.routes; empty: as a message by the ticket's own channel."`
	Cc             []string  `json:"cc,omitempty" maxItems:"50" doc:"Further people, where the channel writes letters: user@host or Name <user@host>."`
	Bcc            []string  `json:"bcc,omitempty" maxItems:"50"`
	Subject        string    `json:"subject,omitempty" maxLength:"500" doc:"Empty: that of the customer's last message."`
}

type writeNote struct {
	Text           string    `json:"text" minLength:"1" maxLength:"20000"`
	Attachments    []desk.ID `json:"attachments,omitempty" maxItems:"20"`
	IdempotencyKey string    `json:"idempotency_key" minLength:"1" maxLength:"100"`
}

func (c *Console) registerReplies(api huma.API) {
	tag := huma.OperationTags("Messages")
	add(api, post("reply", "/api/v1/tickets/{id}/replies", auth.TicketsWrite, "Answer the customer", tag, onOne, answers(http.StatusCreated)), c.reply)
	add(api, post("note", "/api/v1/tickets/{id}/notes", auth.TicketsWrite, "Write an internal note", tag, onOne, answers(http.StatusCreated)), c.note)
	add(api, post("retry-message", "/api/v1/messages/{id}/retry", auth.TicketsWrite, "Send a failed or uncertain reply again", tag, onMessage), c.retry)
}

// reply answers POST …/replies: written, committed, announced, and the delivery belt woken. It does not wait for the provider.
func (c *Console) reply(ctx context.Context, in *onTicketWith[writeReply]) (*body[Message], error) {
	b := in.Body
	t, err := c.store.Ticket(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	by, err := c.routeOf(ctx, t, b)
	if err != nil {
		if used, lookErr := c.store.KeyUsed(ctx, in.ID, b.IdempotencyKey); lookErr != nil || !used {
			return nil, err
		} // sent before: the way was open then, and the store answers with that message
	}
	seen := b.IfSeq
	if b.Force {
		seen = 0
	}
	result, err := c.store.Reply(ctx, ticketstore.ReplyInput{
		TicketID: in.ID, Author: caller(ctx).author(), Text: b.Text, HTML: b.HTML, Route: by, Cc: b.Cc, Bcc: b.Bcc, Subject: b.Subject,
		AttachmentIDs: b.Attachments, IdempotencyKey: b.IdempotencyKey, NewExternalID: c.newExternalID, IfSeq: seen,
	})
	var meanwhile *ticketstore.Answered
	if errors.As(err, &meanwhile) {
		return nil, c.colleagueAnswered(meanwhile)
	}
	if err != nil {
		return nil, keyReused(err)
	}
	c.publish(ctx, result.Events)
	c.kick()
	return &body[Message]{c.wireMessage(result.Message, result.Ticket.ChannelID)}, nil
}

// routeOf is the way the reply takes, nil for a message in the ticket's own conversation, after everything that the way asks of
// the reply was looked at.
func (c *Console) routeOf(ctx context.Context, t desk.Ticket, b writeReply) (*ticketstore.Route, error) {
	w, able, err := c.chosen(ctx, t, b.Route)
	if err != nil {
		return nil, err
	}
	if w.Means == "" {
		able.NoText = false // a channel that sends none has no such way
	}
	if err := checkMeans(w.Means, b.Text, len(b.Attachments), able); err != nil {
		return nil, err
	}
	if len(b.Cc)+len(b.Bcc) > 0 || b.Subject != "" {
		_, ch, _ := c.fleet.Get(w.Channel.ID)
		if err := c.checkLetter(ch, b.Subject, b.Cc, b.Bcc); err != nil {
			return nil, err
		}
	}
	if w.by == (ticketstore.Route{}) {
		return nil, nil
	}
	return &w.by, nil
}

// colleagueAnswered words the refusal of a reply written without having seen another person's.
func (c *Console) colleagueAnswered(by *ticketstore.Answered) error {
	p := problem(http.StatusConflict, "colleague_answered", by.By.Name+" answered meanwhile. Read it, or send yours all the same.")
	ago := max(int64(c.now().Sub(by.At.Std()).Seconds()), 0)
	p.Name, p.SecondsAgo = by.By.Name, &ago
	return p
}

func (c *Console) note(ctx context.Context, in *onTicketWith[writeNote]) (*body[Message], error) {
	if err := checkText("body.text", in.Body.Text, true); err != nil {
		return nil, err
	}
	result, err := c.store.Note(ctx, in.ID, caller(ctx).author(), in.Body.Text, in.Body.Attachments, in.Body.IdempotencyKey)
	if err != nil {
		return nil, keyReused(err)
	}
	c.publish(ctx, result.Events)
	return &body[Message]{c.wireMessage(result.Message, result.Ticket.ChannelID)}, nil
}

type onMessageID struct {
	ID string `path:"id" doc:"The message."`
}

// retry sends a failed reply again, and an uncertain one because a person decided so.
func (c *Console) retry(ctx context.Context, in *onMessageID) (*body[Message], error) {
	events, err := c.store.RetryDelivery(ctx, in.ID, caller(ctx).author())
	if err != nil {
		return nil, err
	}
	c.publish(ctx, events)
	c.kick()
	m, err := c.store.Message(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Message]{c.wireMessage(m, c.channelOf(ctx, m.TicketID))}, nil
}

// checkText holds the limits of what people write. Control characters and bidi overrides are kept: what was written is
// data, and showing it safely is the page's work.
func checkText(field, text string, required bool) error {
	if required && strings.TrimSpace(text) == "" {
		return invalid(field, "Write something first.")
	}
	if utf8.RuneCountInString(text) > maxText {
		return invalid(field, "The text is over 20,000 characters. Shorten it or attach it as a file.")
	}
	if strings.ContainsRune(text, 0) {
		return invalid(field, "The text has a NUL character. Remove it.")
	}
	return nil
}

// keyReused names the one conflict that is the caller's own doing: an idempotency key that already stands for another text.
func keyReused(err error) error {
	if errors.Is(err, desk.ErrConflict) {
		return problem(http.StatusConflict, "idempotency_conflict", "This idempotency_key was used for another text. Make a new one.")
	}
	return err
}

package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

type setCallback struct {
	State string       `json:"state" enum:"due,done" doc:"due: call him back; done: somebody did, or nobody needs to."`
	DueAt optionalTime `json:"due_at,omitempty" doc:"By when; absent: as it was, or now."`
}

func (c *Console) registerCalls(api huma.API) {
	tag := huma.OperationTags("Calls")
	add(api, post("set-callback", "/api/v1/tickets/{id}/callback", auth.TicketsWrite, "Promise a call back, or mark it done", tag, onOne), c.setCallback)
	add(api, get("list-live-calls", "/api/v1/calls", auth.TicketsRead, "Calls that ring or are talked on, as far as they concern you", tag), c.listCalls)
}

// setCallback keeps the promise as a person says it: to whom is known from the calls, by when he may say.
func (c *Console) setCallback(ctx context.Context, in *onTicketWith[setCallback]) (*body[Ticket], error) {
	t, err := c.store.Ticket(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	want := desk.Callback{State: in.Body.State, Number: t.Callback.Number, DueAt: t.Callback.DueAt}
	if want.Number == "" {
		if want.Number, err = c.phoneOf(ctx, t.ContactID); err != nil {
			return nil, err
		}
	}
	if in.Body.DueAt.Given {
		want.DueAt = in.Body.DueAt.Time
	}
	if want.State == "due" && want.DueAt == 0 {
		want.DueAt = desk.At(c.now())
	}
	if want.State == "due" && want.Number == "" {
		return nil, invalid("body.state", "No telephone number of the customer is known.")
	}
	_, events, err := c.store.SetCallback(ctx, in.ID, want, caller(ctx).author())
	if err != nil {
		return nil, err
	}
	c.publish(ctx, events)
	return c.oneTicket(ctx, in.ID)
}

// phoneOf is a number the contact is known by, a proven one first; "" when there is none.
func (c *Console) phoneOf(ctx context.Context, id desk.ID) (string, error) {
	contact, err := c.store.Contact(ctx, id)
	if err != nil {
		return "", err
	}
	number := ""
	for _, i := range contact.Identities {
		if i.Type == "phone" && (i.Verified || number == "") {
			number = i.Value
			if i.Verified {
				break
			}
		}
	}
	return number, nil
}

// listCalls answers with what a page that has just come is shown on its socket.
func (c *Console) listCalls(ctx context.Context, _ *struct{}) (*body[Page[LiveCall]], error) {
	calls, err := c.hub.calls.of(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return page(calls, ""), nil
}

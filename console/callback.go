package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
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

func (c *Console) setCallback(ctx context.Context, in *onTicketWith[setCallback]) (*body[Ticket], error) {
	return nil, problem(501, "not_implemented", "This is not there yet.")
}

func (c *Console) listCalls(ctx context.Context, _ *struct{}) (*body[Page[LiveCall]], error) {
	return page[LiveCall](nil, ""), nil
}

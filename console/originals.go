package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
)

type onMessageHTML struct {
	ID       string `path:"id" doc:"The message."`
	Pictures bool   `query:"pictures" doc:"Also those that lie on other people's servers, which then learn that the letter was opened."`
}

func (c *Console) registerOriginals(api huma.API) {
	tag := huma.OperationTags("Messages")
	add(api, get("message-html", "/api/v1/messages/{id}/html", auth.TicketsRead, "A letter as its writer made it, as a page without anything that runs, for a sandboxed frame", tag, onMessage), c.messageHTML)
	add(api, get("message-original", "/api/v1/messages/{id}/original", auth.TicketsRead, "Download what came in, byte by byte", tag, onMessage), c.original)
}

func (c *Console) messageHTML(ctx context.Context, in *onMessageHTML) (*huma.StreamResponse, error) {
	return nil, problem(501, "not_implemented", "This is not there yet.")
}

func (c *Console) original(ctx context.Context, in *onMessageID) (*huma.StreamResponse, error) {
	return nil, problem(501, "not_implemented", "This is not there yet.")
}

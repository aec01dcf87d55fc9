package console

import (
	"context"
	"net/http"

	"hearback/desk"
)

const eventSessions = "sessions"

type hub struct{ c *Console }

func newHub(c *Console) *hub { return &hub{c: c} }

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {}
func (h *hub) run(ctx context.Context)                      { <-ctx.Done() }
func (h *hub) markRead(agent, ticket desk.ID, seq int64)    {}
func (h *hub) forgetContact(id desk.ID)                     {}

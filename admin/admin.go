package admin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// Fleet is what admin asks of the open channels.
type Fleet interface {
	Kinds() []connectors.Kind
	Kind(name string) (connectors.Kind, bool)
	Test(ctx context.Context, ch desk.Channel) error
	// Log is what came in by a channel lately, the newest first.
	Log(ctx context.Context, channel desk.ID) ([]connectors.Note, error)
	// Try shows what a provider's request would become.
	Try(kind string, settings map[string]string, s connectors.Sample) (connectors.Trial, error)
	// Begin, ConsentOf and Exchange are the log-in at a provider.
	Begin(ch desk.Channel, agent desk.ID) (url string, err error)
	ConsentOf(ctx context.Context, state string, agent desk.ID) (desk.ID, error)
	Exchange(ctx context.Context, ch desk.Channel, state, code string) (map[string]string, error)
}

// Bus tells every node what was changed.
type Bus interface {
	Publish(ctx context.Context, events []desk.Event) error
}

// Options is everything admin lives on. All of it must be set unless said otherwise.
type Options struct {
	Store     *ticketstore.Store
	Fleet     Fleet
	Auth      *auth.Auth
	Bus       Bus
	Actor     func(context.Context) desk.Agent // Who makes this request: console.Actor.
	Wake      func()                           // Wakes the intake belt after "process again". nil: it finds the row by itself.
	Checks    func(context.Context) []Check    // What the doctor says of database, Redis, disk. nil: channels only.
	Blobs     connectors.Blobs
	Logger    *slog.Logger // nil: slog.Default()
	Clock     func() time.Time
	PublicURL string // Without a trailing slash.
}

// An Admin answers those who set the desk up. Its methods may be called at the same time.
type Admin struct {
	o      Options
	store  *ticketstore.Store
	logger *slog.Logger
}

// New builds it; Register puts it on the API.
func New(o Options) *Admin {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	return &Admin{o: o, store: o.Store, logger: o.Logger}
}

// Register adds every route of admin to api, which must carry the console's guard.
func (a *Admin) Register(api huma.API) {
	a.registerChannels(api)
	a.registerPeople(api)
	a.registerTeams(api)
	a.registerRules(api)
	a.registerTokens(api)
	a.registerIntake(api)
	a.registerHealth(api)
}

// self is any log-in; the other words are auth's permissions, which the caller's role brings.
const self auth.Permission = "self"

// add declares one route. The metadata word is the one the console's guard reads.
func add[I, O any](api huma.API, group string, need auth.Permission, method, path, id, summary string, handler func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{group},
		Metadata: map[string]any{"permission": string(need)},
		Security: []map[string][]string{{"session": {}}, {"bearer": {}}},
	}
	switch {
	case method == http.MethodDelete:
		op.DefaultStatus = http.StatusNoContent
	case method == http.MethodPost && creates(path):
		op.DefaultStatus = http.StatusCreated
	}
	huma.Register(api, op, handler)
}

// creates tells a POST to a collection from an act on something.
func creates(path string) bool {
	switch path {
	case "/api/v1/channels", "/api/v1/agents", "/api/v1/teams", "/api/v1/rules", "/api/v1/tokens":
		return true
	}
	return false
}

// changed writes the audit row and tells every node. The change itself is committed: a failure here is logged, not answered.
func (a *Admin) changed(ctx context.Context, what, action, object string, detail any) {
	if err := a.store.Audit(context.WithoutCancel(ctx), a.o.Actor(ctx).ID, action, object, detail); err != nil {
		a.logger.Error("audit row was not written", "action", action, "object", object, "err", err)
	}
	if what == "" {
		return
	}
	event := desk.Event{Type: what, Data: map[string]string{"id": object}}
	if err := a.o.Bus.Publish(context.WithoutCancel(ctx), []desk.Event{event}); err != nil {
		a.logger.Warn("other nodes were not told of a change; they see it at their next sweep", "what", what, "err", err)
	}
}

// wrong is a 422 that names the field, what is wrong and what would be right.
func wrong(field, message string) error {
	return huma.Error422UnprocessableEntity(message, &huma.ErrorDetail{Location: field, Message: message})
}

type body[T any] struct{ Body T }

type none struct{}

type byID struct {
	ID string `path:"id"`
}

// A List is a whole list or one piece of it.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Pass as cursor for what follows; empty at the end."`
}

func items[T any](all []T, next string) *body[List[T]] {
	if all == nil {
		all = []T{}
	}
	return &body[List[T]]{List[T]{Items: all, Next: next}}
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

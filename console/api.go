package console

import (
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hearback/auth"
)

// NewAPI builds the house's HTTP API on mux: JSON only, errors as Problems, described at /openapi.json and, for reading, at
// /docs. Console.Register must be called on it before anything else is registered: it brings the guard.
func NewAPI(mux humago.Mux, build string, logger *slog.Logger) huma.API {
	if logger == nil {
		logger = slog.Default()
	}
	useProblems(logger)
	config := huma.DefaultConfig("Hearback", build)
	config.Info.Description = "回音 Hearback: the omnichannel gateway. Session cookie or Authorization: Bearer. Times are RFC 3339 UTC, ids opaque " +
		"strings, lists {items, next}; errors are application/problem+json whose code says what happened."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: auth.CookieName},
		"bearer":  {Type: "http", Scheme: "bearer"},
	}
	config.DocsPath, config.SchemasPath = "", "" // the stock docs page loads scripts from elsewhere
	config.CreateHooks = nil                     // no $schema member in answers
	timeAlias(config.Components.Schemas)
	api := humago.New(ownRequest{mux}, config)
	mux.HandleFunc("GET /docs", docsPage(api))
	return api
}

// ownRequest hands every handler its own copy of the request. The guard puts a limit around the body, and net/http decides by
// the body it made itself whether a connection can be used again: with ours in its place, the rest of a body that was refused
// would be read as the next request.
type ownRequest struct{ humago.Mux }

// HandleFunc registers the handler with a copy.
func (m ownRequest) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.Mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		own := *r
		handler(w, &own)
	})
}

// Spec is the API's description as JSON, of the console alone: cmd registers the other rooms on the same API.
func Spec(build string, others ...func(huma.API)) ([]byte, error) {
	mux := http.NewServeMux()
	api := NewAPI(mux, build, nil)
	New(Options{}).Register(api, nil)
	for _, register := range others {
		register(api)
	}
	return api.OpenAPI().MarshalJSON()
}

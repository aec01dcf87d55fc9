package console

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hearback/auth"
	"hearback/desk"
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

// letterRules let a letter's page show itself and nothing else. allow-same-origin without allow-scripts: our page around it may
// measure it and its own pictures get the log-in's cookie, while nothing in it can run.
func letterRules(pictures bool) string {
	from := "'self' data:"
	if pictures {
		from += " https: http:"
	}
	return "default-src 'none'; img-src " + from + "; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
		"sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
}

func (c *Console) messageHTML(ctx context.Context, in *onMessageHTML) (*huma.StreamResponse, error) {
	m, err := c.store.Message(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if m.HTML == "" {
		return nil, problem(http.StatusNotFound, "not_found", "This message has no formatted form.")
	}
	page := letterPage(m, in.Pictures)
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		_, w := humago.Unwrap(hctx)
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", letterRules(in.Pictures))
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Write(page) // a reader who is gone needs no answer
	}}, nil
}

// original sends what came in as it was. Letters are shown to everybody who sees their ticket; what other providers sent only to
// those who may read the ledger, for it may carry more than the message.
func (c *Console) original(ctx context.Context, in *onMessageID) (*huma.StreamResponse, error) {
	m, err := c.store.Message(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if m.Headers == nil && !caller(ctx).Can(auth.IntakeRead) {
		return nil, problem(http.StatusNotFound, "not_found", "There is no original of this message that you may read.")
	}
	env, err := c.store.Original(ctx, m)
	if err != nil {
		return nil, err
	}
	content, err := c.raw(ctx, env)
	if err != nil {
		return nil, err
	}
	name := m.ID + ".txt"
	if m.Headers != nil {
		name = m.ID + ".eml"
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer content.Close()
		r, w := humago.Unwrap(hctx)
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		http.ServeContent(w, r, "", time.Time{}, content)
	}}, nil
}

// raw opens an envelope's bytes, wherever they are kept.
func (c *Console) raw(ctx context.Context, e desk.Envelope) (io.ReadSeekCloser, error) {
	if e.RawBlob != "" && len(e.Raw) == 0 {
		return c.blobs.Open(ctx, e.RawBlob)
	}
	return inMemory{bytes.NewReader(e.Raw)}, nil
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

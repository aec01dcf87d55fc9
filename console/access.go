package console

import (
	"context"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// The keys under which an operation's metadata says what it needs. Package admin writes the same words: the two are on one
// floor and do not import each other.
const (
	metaPermission = "permission" // string: a permission, or "public", or "self" for any log-in
	metaScope      = "scope"      // string: what the path's id names: "ticket", "message", "attachment"; absent: no ticket
	metaBody       = "body_limit" // int64: bytes of the whole request; absent: 1 MB
)

// jsonLimit is how many bytes a request may have that does not say otherwise.
const jsonLimit = 1 << 20

type whoKey struct{}

// caller is who makes this request. On a public route it is nobody.
func caller(ctx context.Context) who {
	w, _ := ctx.Value(whoKey{}).(who)
	return w
}

// guard is the one place where access is decided: who is calling, whether a browser was tricked into it, whether the role
// allows the operation, and whether the ticket is in scope. An operation that declares nothing is refused.
func (c *Console) guard(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		need, limit := declared(ctx.Operation())
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		me, err := c.admit(r, need)
		if err == nil {
			err = c.inScope(r.Context(), me, ctx)
		}
		if err != nil {
			refuse(api, ctx, c, err)
			return
		}
		me.address = c.address(r)
		next(huma.WithValue(ctx, whoKey{}, me))
	}
}

func declared(op *huma.Operation) (need string, limit int64) {
	need, _ = op.Metadata[metaPermission].(string)
	limit, ok := op.Metadata[metaBody].(int64)
	if !ok {
		limit = jsonLimit
	}
	return need, limit
}

// address is where the caller of this request is.
func address(ctx context.Context) string { return caller(ctx).address }

func (c *Console) address(r *http.Request) string {
	if c.opt.ClientAddress != nil {
		return c.opt.ClientAddress(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

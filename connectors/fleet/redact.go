package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"hearback/desk"
)

const masked = "••••"

// redact replaces secrets in text, also where a URL carries them escaped.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, masked)
		if q := url.QueryEscape(s); q != s {
			text = strings.ReplaceAll(text, q, masked)
		}
		if q := url.PathEscape(s); q != s {
			text = strings.ReplaceAll(text, q, masked)
		}
	}
	return text
}

// redacted is an error with its words cleaned; errors.Is still sees the cause.
type redacted struct {
	text  string
	cause error
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.cause }

// logger carries channel and kind, and masks the channel's secrets whoever writes them by mistake.
func (f *Fleet) logger(ch desk.Channel) *slog.Logger {
	h := f.o.Logger.Handler()
	if secrets := f.secrets(ch); len(secrets) > 0 {
		h = maskingHandler{h, secrets}
	}
	return slog.New(h).With("channel", ch.ID, "kind", ch.Kind)
}

type maskingHandler struct {
	slog.Handler
	secrets []string
}

func (h maskingHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, redact(r.Message, h.secrets), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.mask(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

func (h maskingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.mask(a)
	}
	return maskingHandler{h.Handler.WithAttrs(clean), h.secrets}
}

func (h maskingHandler) WithGroup(name string) slog.Handler {
	return maskingHandler{h.Handler.WithGroup(name), h.secrets}
}

func (h maskingHandler) mask(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, redact(v.String(), h.secrets))
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, g := range v.Group() {
			group[i] = h.mask(g)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(group...)}
	case slog.KindAny:
		text := fmt.Sprint(v.Any())
		if clean := redact(text, h.secrets); clean != text {
			return slog.String(a.Key, clean)
		}
	}
	return a
}

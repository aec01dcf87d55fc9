package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hearback/desk"
)

// CookieName is where a browser keeps its session's secret.
const CookieName = "hearback_session"

// ErrNobody tells that a request carries no valid session or token.
var ErrNobody = errors.New("nobody is logged in")

// touchEvery is how often the use of a session is written down.
const touchEvery = time.Minute

// Authenticate finds out who makes a request: by its bearer token, else by its session cookie. ErrNobody when by neither; an
// error that wraps desk.ErrUnavailable when it cannot be known now.
func (a *Auth) Authenticate(r *http.Request) (Principal, error) {
	if bearer, ok := bearer(r); ok {
		return a.byToken(r.Context(), bearer)
	}
	cookie, err := r.Cookie(CookieName)
	if err != nil || cookie.Value == "" {
		return Principal{}, ErrNobody
	}
	return a.bySession(r.Context(), cookie.Value)
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

func (a *Auth) byToken(ctx context.Context, secret string) (Principal, error) {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return Principal{}, ErrNobody
	}
	t, err := a.store.TokenByHash(ctx, digest(secret))
	if err != nil {
		return Principal{}, nobody(err)
	}
	who, err := a.agent(ctx, t.AgentID)
	if err != nil {
		return Principal{}, err
	}
	// A program cannot change a password; the token was given knowingly.
	return Principal{Agent: who.agent, Token: true}, nil
}

func (a *Auth) bySession(ctx context.Context, secret string) (Principal, error) {
	s, err := a.store.SessionByHash(ctx, digest(secret))
	if err != nil {
		return Principal{}, nobody(err)
	}
	now := a.now()
	ends := s.CreatedAt.Add(lifetime)
	if now >= ends {
		return Principal{}, ErrNobody
	}
	if now >= s.SeenAt.Add(touchEvery) {
		err := a.store.TouchSession(ctx, s.ID, now, min(now.Add(idle), ends))
		if errors.Is(err, desk.ErrNotFound) {
			return Principal{}, ErrNobody // ended meanwhile
		}
		if err != nil {
			a.logger.Warn("use of a session was not noted", "session", s.ID, "err", err)
		}
	}
	who, err := a.agent(ctx, s.AgentID)
	if err != nil {
		return Principal{}, err
	}
	return Principal{Agent: who.agent, SessionID: s.ID, MustChange: who.mustChange}, nil
}

// nobody turns "not found" into ErrNobody and leaves what is a fault.
func nobody(err error) error {
	if errors.Is(err, desk.ErrNotFound) {
		return ErrNobody
	}
	return fmt.Errorf("authenticate: %w", err)
}

// agent reads who somebody is, from memory when that is a few seconds old at most. The disabled are nobody.
func (a *Auth) agent(ctx context.Context, id desk.ID) (person, error) {
	p, ok := a.known.get(id, a.now())
	if !ok {
		began := a.known.generation()
		var err error
		if p.agent, err = a.store.Agent(ctx, id); err == nil {
			_, p.mustChange, err = a.store.Credentials(ctx, id)
		}
		if err != nil {
			return person{}, nobody(err)
		}
		a.known.put(p, a.now(), began)
	}
	if p.agent.Disabled {
		return person{}, ErrNobody
	}
	return p, nil
}

// Forget drops what is remembered of an agent ("": of everybody). Call it when an agent was changed, on every node.
func (a *Auth) Forget(agent desk.ID) { a.known.forget(agent) }

// Cookie carries a session's secret; an empty secret ends it. It is never shown to scripts, not sent with writes from other
// sites, and over TLS only when the house is reached that way.
func (a *Auth) Cookie(secret string) *http.Cookie {
	age := int(lifetime / time.Second)
	if secret == "" {
		age = -1
	}
	return &http.Cookie{Name: CookieName, Value: secret, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: a.secure}
}

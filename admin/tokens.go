package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
	"hearback/ticketstore"
)

// A Token is an API token as listed: never the secret.
type Token struct {
	ID        desk.ID   `json:"id"`
	Name      string    `json:"name"`
	LastFour  string    `json:"last_four"`
	CreatedAt desk.Time `json:"created_at" nullable:"false"`
	UsedAt    desk.Time `json:"used_at"`
}

// A NewToken carries its secret this once.
type NewToken struct {
	ID    desk.ID `json:"id"`
	Name  string  `json:"name"`
	Token string  `json:"token" doc:"Shown once: send it as Authorization: Bearer."`
}

type createToken struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100" doc:"What it is for."`
	}
}

// TokenAudit says which token.
type TokenAudit struct {
	Name string `json:"name"`
}

// Everybody manages his own tokens; a token may do what its owner may.
func (a *Admin) registerTokens(api huma.API) {
	const g = "Tokens"
	add(api, g, self, http.MethodGet, "/api/v1/tokens", "list-tokens", "My API tokens", a.listTokens)
	add(api, g, self, http.MethodPost, "/api/v1/tokens", "create-token", "Make an API token", a.createToken)
	add(api, g, self, http.MethodDelete, "/api/v1/tokens/{id}", "revoke-token", "Revoke an API token", a.revokeToken)
}

func (a *Admin) listTokens(ctx context.Context, _ *struct{}) (*body[List[Token]], error) {
	tokens, err := a.store.Tokens(ctx, a.o.Actor(ctx).ID)
	if err != nil {
		return nil, err
	}
	all := make([]Token, 0, len(tokens))
	for _, t := range tokens {
		all = append(all, Token{ID: t.ID, Name: t.Name, LastFour: t.LastFour, CreatedAt: t.CreatedAt, UsedAt: t.UsedAt})
	}
	return items(all, ""), nil
}

func (a *Admin) createToken(ctx context.Context, in *createToken) (*body[NewToken], error) {
	name := strings.TrimSpace(in.Body.Name)
	if name == "" {
		return nil, wrong("body.name", "Say what the token is for.")
	}
	secret, hash, lastFour := a.o.Auth.NewToken()
	t, err := a.store.CreateToken(ctx, ticketstore.Token{AgentID: a.o.Actor(ctx).ID, Name: name, LastFour: lastFour}, hash)
	if err != nil {
		return nil, err
	}
	a.changed(ctx, "", "token.created", t.ID, TokenAudit{Name: name})
	return &body[NewToken]{NewToken{ID: t.ID, Name: name, Token: secret}}, nil
}

func (a *Admin) revokeToken(ctx context.Context, in *byID) (*none, error) {
	if err := a.store.RevokeToken(ctx, a.o.Actor(ctx).ID, in.ID); err != nil {
		return nil, err
	}
	a.changed(ctx, "people", "token.revoked", in.ID, TokenAudit{})
	return &none{}, nil
}

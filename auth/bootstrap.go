package auth

import (
	"context"
	"errors"
	"fmt"

	"hearback/desk"
	"hearback/ticketstore"
)

// FirstAdmin makes the first admin of an empty house and returns his one-time password, to be shown once; he must choose another
// at his first log-in. made is false, and nothing is done, when there is anybody already or another node was first.
func (a *Auth) FirstAdmin(ctx context.Context, email, name string) (password string, made bool, err error) {
	people, err := a.store.Agents(ctx)
	if err != nil || len(people) > 0 {
		return "", false, err
	}
	password = OneTimePassword()
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		_, err = a.store.CreateAgent(ctx, desk.Agent{Email: email, Name: name, Role: desk.RoleAdmin}, hash, true)
	}
	if errors.Is(err, desk.ErrConflict) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("make first admin: %w", err)
	}
	return password, true, nil
}

// AddToken makes an API token for an agent and returns its secret, to be shown once.
func (a *Auth) AddToken(ctx context.Context, agent desk.ID, name string) (secret string, t ticketstore.Token, err error) {
	if _, err := a.store.Agent(ctx, agent); err != nil {
		return "", t, fmt.Errorf("add token: %w", err)
	}
	secret, hash, lastFour := a.NewToken()
	t, err = a.store.CreateToken(ctx, ticketstore.Token{AgentID: agent, Name: name, LastFour: lastFour}, hash)
	if err != nil {
		return "", t, fmt.Errorf("add token: %w", err)
	}
	return secret, t, nil
}

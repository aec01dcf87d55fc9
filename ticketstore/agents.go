package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Agents(ctx context.Context) ([]desk.Agent, error) {
	return nil, errUnwritten
}

func (s *Store) Agent(ctx context.Context, id desk.ID) (desk.Agent, error) {
	return desk.Agent{}, errUnwritten
}

func (s *Store) AgentByEmail(ctx context.Context, email string) (agent desk.Agent, passwordHash string, mustChange bool, err error) {
	return agent, "", false, errUnwritten
}

func (s *Store) CreateAgent(ctx context.Context, a desk.Agent, passwordHash string, mustChange bool) (desk.Agent, error) {
	return desk.Agent{}, errUnwritten
}

func (s *Store) UpdateAgent(ctx context.Context, a desk.Agent) (desk.Agent, error) {
	return desk.Agent{}, errUnwritten
}

func (s *Store) SetPassword(ctx context.Context, agent desk.ID, passwordHash string, mustChange bool) error {
	return errUnwritten
}

func (s *Store) SetAvailability(ctx context.Context, agent desk.ID, av desk.Availability) error {
	return errUnwritten
}

func (s *Store) Availabilities(ctx context.Context) (map[desk.ID]desk.Availability, error) {
	return nil, errUnwritten
}

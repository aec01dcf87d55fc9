package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Health(ctx context.Context, channel desk.ID) (ChannelHealth, error) {
	return ChannelHealth{}, errUnwritten
}

func (s *Store) HealthAll(ctx context.Context) (map[desk.ID]ChannelHealth, error) {
	return nil, errUnwritten
}

func (s *Store) SetHealth(ctx context.Context, channel desk.ID, ok bool, errText string) error {
	return errUnwritten
}

func (s *Store) Cursor(ctx context.Context, channel desk.ID) ([]byte, error) {
	return nil, errUnwritten
}

package ticketstore

import (
	"context"

	"hearback/desk"
	"hearback/vault"
)

func (s *Store) Channels(ctx context.Context) ([]desk.Channel, error) {
	return nil, errUnwritten
}

func (s *Store) Channel(ctx context.Context, id desk.ID) (desk.Channel, error) {
	return desk.Channel{}, errUnwritten
}

func (s *Store) SaveChannel(ctx context.Context, ch desk.Channel, secretFields []string) (desk.Channel, error) {
	return desk.Channel{}, errUnwritten
}

func (s *Store) ChannelSecrets(ctx context.Context, id desk.ID) ([]SecretStatus, error) {
	return nil, errUnwritten
}

func (s *Store) ResealAll(ctx context.Context, next *vault.Vault) (int, error) {
	return 0, errUnwritten
}

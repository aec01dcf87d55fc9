package ticketstore

import "context"

func (s *Store) Meta(ctx context.Context, key string) (value string, found bool, err error) {
	return "", false, errUnwritten
}

func (s *Store) SetMetaOnce(ctx context.Context, key, value string) (stored string, err error) {
	return "", errUnwritten
}

package ticketstore

import (
	"context"

	"hearback/desk"
)

func (s *Store) Contact(ctx context.Context, id desk.ID) (desk.Contact, error) {
	return desk.Contact{}, errUnwritten
}

func (s *Store) Contacts(ctx context.Context, query, cursor string, limit int) ([]desk.Contact, string, error) {
	return nil, "", errUnwritten
}

func (s *Store) SaveContact(ctx context.Context, c desk.Contact) (desk.Contact, error) {
	return desk.Contact{}, errUnwritten
}

package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

const contactColumns = `c.id, c.name, c.level, c.language, c.company, c.note, c.fields, c.created_at, c.updated_at`

func scanContact(row scanner) (desk.Contact, error) {
	var c desk.Contact
	err := row.Scan(&c.ID, &c.Name, &c.Level, &c.Language, &c.Company, &c.Note, jsonInto{&c.Fields}, &c.CreatedAt, &c.UpdatedAt)
	return c, err
}

// Contact reads one contact with his identities; desk.ErrNotFound when there is none.
func (s *Store) Contact(ctx context.Context, id desk.ID) (desk.Contact, error) {
	c, err := s.contact(ctx, s.read, id)
	if err != nil {
		return desk.Contact{}, fmt.Errorf("read contact %s: %w", id, err)
	}
	return c, nil
}

func (s *Store) contact(ctx context.Context, from source, id desk.ID) (desk.Contact, error) {
	found, err := list(ctx, s, from, scanContact, `SELECT `+contactColumns+` FROM contacts c WHERE c.id = ?`, id)
	if err == nil && len(found) == 0 {
		err = desk.ErrNotFound
	}
	if err == nil {
		err = s.addIdentities(ctx, from, found)
	}
	if err != nil {
		return desk.Contact{}, err
	}
	return found[0], nil
}

// Contacts lists contacts, the newest first; query narrows to those whose name or company holds it or who own it as an address
// or telephone number.
func (s *Store) Contacts(ctx context.Context, query, cursor string, limit int) (found []desk.Contact, next string, err error) {
	return s.ContactsIn(ctx, Scope{All: true}, query, cursor, limit)
}

// ContactsIn is Contacts of those who have a ticket in the scope.
func (s *Store) ContactsIn(ctx context.Context, scope Scope, query, cursor string, limit int) (found []desk.Contact, next string, err error) {
	where, args := inScope("c.id", scope)
	if query != "" {
		also, values := contactCondition("c.id", clean(query))
		where, args = where+" AND ("+also+")", append(args, values...)
	}
	if cursor != "" {
		var last desk.ID
		if err := decodeCursor(cursor, &last); err != nil {
			return nil, "", fmt.Errorf("list contacts: %w", err)
		}
		where, args = where+" AND c.id < ?", append(args, last)
	}
	limit = pageSize(limit)
	found, err = list(ctx, s, s.read, scanContact,
		`SELECT `+contactColumns+` FROM contacts c WHERE `+where+` ORDER BY c.id DESC LIMIT ?`, append(args, limit+1)...)
	if err == nil {
		found, next = pageByID(found, limit, func(c desk.Contact) desk.ID { return c.ID })
		err = s.addIdentities(ctx, s.read, found)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list contacts: %w", err)
	}
	return found, next, nil
}

type ownedIdentity struct {
	owner desk.ID
	desk.Identity
}

func scanIdentity(row scanner) (ownedIdentity, error) {
	var i ownedIdentity
	err := row.Scan(&i.owner, &i.Type, &i.Value, &i.Scope, &i.Verified)
	return i, err
}

// addIdentities fills in the identities of all contacts in one query.
func (s *Store) addIdentities(ctx context.Context, from source, contacts []desk.Contact) error {
	if len(contacts) == 0 {
		return nil
	}
	at := make(map[desk.ID]*desk.Contact, len(contacts))
	ids := make([]desk.ID, len(contacts))
	for i := range contacts {
		at[contacts[i].ID], ids[i] = &contacts[i], contacts[i].ID
	}
	found, err := list(ctx, s, from, scanIdentity, `SELECT contact_id, type, value, scope, verified FROM identities
		WHERE contact_id IN (?) ORDER BY created_at, type, value`, ids)
	if err != nil {
		return fmt.Errorf("read identities: %w", err)
	}
	for _, i := range found {
		c := at[i.owner]
		c.Identities = append(c.Identities, i.Identity)
	}
	return nil
}

// SaveContact stores a contact: a new one when it has no ID, else its name, level, language, company, note and fields are
// changed. Identities it did not have are added, none is taken away; one that belongs to another contact is desk.ErrConflict
// and nothing is stored.
func (s *Store) SaveContact(ctx context.Context, c desk.Contact) (saved desk.Contact, err error) {
	isNew := c.ID == ""
	if isNew {
		c.ID = desk.NewID()
	}
	err = s.write(ctx, func(t *tx) error {
		if err := putContact(t, c, isNew); err != nil {
			return err
		}
		for _, i := range c.Identities {
			if err := addIdentity(t, c.ID, i); err != nil {
				return err
			}
		}
		saved, err = s.contact(t.ctx, t, c.ID)
		return err
	})
	if err != nil {
		return desk.Contact{}, fmt.Errorf("save contact: %w", err)
	}
	return saved, nil
}

func putContact(t *tx, c desk.Contact, isNew bool) error {
	now := t.s.now()
	if isNew {
		_, err := t.exec(`INSERT INTO contacts (id, name, level, language, company, note, fields, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.ID, c.Name, c.Level, c.Language, c.Company, c.Note, toJSON(c.Fields), now, now)
		return err
	}
	return changed(t.exec(`UPDATE contacts SET name = ?, level = ?, language = ?, company = ?, note = ?, fields = ?, updated_at = ? WHERE id = ?`,
		c.Name, c.Level, c.Language, c.Company, c.Note, toJSON(c.Fields), now, c.ID))
}

func addIdentity(t *tx, contact desk.ID, i desk.Identity) error {
	if i.Type == "" || i.Value == "" {
		return fmt.Errorf("identity without type or value: %w", desk.ErrInvalid)
	}
	n, err := t.exec(`INSERT INTO identities (type, value, scope, contact_id, verified, created_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, i.Type, i.Value, i.Scope, contact, i.Verified, t.s.now())
	if err != nil || n > 0 {
		return err
	}
	owner, err := one(t.ctx, t.s, t, plain[desk.ID], `SELECT contact_id FROM identities WHERE type = ? AND value = ? AND scope = ?`, i.Type, i.Value, i.Scope)
	if err == nil && owner != contact {
		err = fmt.Errorf("this %s belongs to another contact: %w", i.Type, desk.ErrConflict)
	}
	return err
}

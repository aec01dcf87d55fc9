package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

type listContacts struct {
	Q      string `query:"q" maxLength:"200" doc:"Part of a name, an address or a number."`
	Cursor string `query:"cursor" maxLength:"500"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type onContact struct {
	ID string `path:"id"`
}

type changeContact struct {
	ID   string `path:"id"`
	Body struct {
		Name     *string           `json:"name,omitempty" maxLength:"200"`
		Level    *string           `json:"level,omitempty" maxLength:"50"`
		Language *string           `json:"language,omitempty" maxLength:"35"`
		Company  *string           `json:"company,omitempty" maxLength:"200"`
		Note     *string           `json:"note,omitempty" maxLength:"5000"`
		Fields   map[string]string `json:"fields,omitempty" maxProperties:"100" doc:"Keys to set; an empty value removes the key."`
	}
}

type contactTickets struct {
	ID     string `path:"id"`
	Cursor string `query:"cursor" maxLength:"500"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (c *Console) registerContacts(api huma.API) {
	tag := huma.OperationTags("Contacts")
	add(api, get("list-contacts", "/api/v1/contacts", auth.ContactsRead, "List contacts who have a ticket inside your scope", tag), c.listContacts)
	add(api, get("get-contact", "/api/v1/contacts/{id}", auth.ContactsRead, "One contact with identities", tag), c.getContact)
	add(api, patch("change-contact", "/api/v1/contacts/{id}", auth.ContactsWrite, "Change a contact", tag), c.changeContact)
	add(api, get("list-contact-tickets", "/api/v1/contacts/{id}/tickets", auth.ContactsRead, "A contact's tickets inside your scope", tag), c.contactTickets)
}

func (c *Console) listContacts(ctx context.Context, in *listContacts) (*body[Page[Contact]], error) {
	contacts, next, err := c.store.ContactsIn(ctx, caller(ctx).Scope, in.Q, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]Contact, 0, len(contacts))
	for _, contact := range contacts {
		items = append(items, wireContact(contact))
	}
	return page(items, next), nil
}

func (c *Console) getContact(ctx context.Context, in *onContact) (*body[Contact], error) {
	if err := c.seesContact(ctx, in.ID); err != nil {
		return nil, err
	}
	contact, err := c.store.Contact(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Contact]{wireContact(contact)}, nil
}

func (c *Console) changeContact(ctx context.Context, in *changeContact) (*body[Contact], error) {
	if err := c.seesContact(ctx, in.ID); err != nil {
		return nil, err
	}
	contact, err := c.store.Contact(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	for to, value := range map[*string]*string{
		&contact.Name: b.Name, &contact.Level: b.Level, &contact.Language: b.Language, &contact.Company: b.Company, &contact.Note: b.Note,
	} {
		if value != nil {
			*to = *value
		}
	}
	contact.Fields = merged(contact.Fields, b.Fields)
	contact, err = c.store.SaveContact(ctx, contact)
	if err != nil {
		return nil, err
	}
	c.hub.forgetContact(contact.ID)
	return &body[Contact]{wireContact(contact)}, nil
}

// merged sets what is given and removes what is given empty.
func merged(have, given map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range have {
		out[k] = v
	}
	for k, v := range given {
		if v == "" {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

func (c *Console) contactTickets(ctx context.Context, in *contactTickets) (*body[Page[Ticket]], error) {
	me := caller(ctx)
	if err := c.seesContact(ctx, in.ID); err != nil {
		return nil, err
	}
	rows, next, err := c.store.Tickets(ctx, ticketstore.TicketFilter{
		Scope: me.Scope, ContactID: desk.ID(in.ID), Sort: "created", Cursor: in.Cursor, Limit: in.Limit,
	}, me.Agent.ID)
	if err != nil {
		return nil, err
	}
	items := make([]Ticket, 0, len(rows))
	for _, row := range rows {
		items = append(items, c.wireRow(ctx, row))
	}
	return page(items, next), nil
}

// seesContact is nil when the contact has a ticket in the caller's scope, and desk.ErrNotFound otherwise: who never wrote to one's
// teams does not exist.
func (c *Console) seesContact(ctx context.Context, contact desk.ID) error {
	scope := caller(ctx).Scope
	if scope.All {
		return nil
	}
	ok, err := c.store.ContactVisibleTo(ctx, contact, scope)
	if err == nil && !ok {
		err = desk.ErrNotFound
	}
	return err
}

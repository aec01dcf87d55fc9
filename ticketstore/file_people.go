package ticketstore

import (
	"cmp"
	"database/sql"
	"slices"

	"hearback/desk"
)

// people is what File knows of the persons in a batch.
type people struct {
	now        desk.Time
	identities map[identityKey]*identityRow
	contacts   map[desk.ID]*contactRow
}

type identityKey struct{ typ, value, scope string }

type identityRow struct {
	identityKey
	contact  desk.ID
	verified bool
	stored   bool
	dirty    bool
}

type contactRow struct {
	desk.Contact
	stored bool
	dirty  bool
}

func newPeople(now desk.Time) people {
	return people{now: now, identities: map[identityKey]*identityRow{}, contacts: map[desk.ID]*contactRow{}}
}

func keyOf(i desk.Identity) identityKey {
	return identityKey{clean(i.Type), clean(i.Value), clean(i.Scope)}
}

// identitiesOf lists what an inbound tells of its writer: the address he wrote by last, because what the host page proves of
// him outranks the browser he uses.
func identitiesOf(in *desk.Inbound) []desk.Identity {
	if in.FromAgent {
		return nil // From is a colleague
	}
	var all []desk.Identity
	for _, i := range append(slices.Clone(in.Also), in.From) {
		if i.Type != "" && i.Value != "" {
			all = append(all, i)
		}
	}
	return all
}

// findPeople decides who wrote each message: the contact a verified identity belongs to, else the sender's contact so far,
// else a new one. Contacts and identities are written here, before tickets name them.
func (f *filer) findPeople() error {
	if err := f.readIdentities(); err != nil {
		return err
	}
	if err := f.readContacts(); err != nil {
		return err
	}
	for it, in := range f.inbounds {
		if in.Call != nil && f.callOf(it, in).nobody() {
			it.people = append(it.people, "")
			continue
		}
		it.people = append(it.people, f.people.writer(it, in))
	}
	return f.writePeople()
}

func (f *filer) readIdentities() error {
	asked := map[identityKey]bool{}
	b := newBulk("type text, value text, scope text", len(f.items))
	for it, in := range f.inbounds {
		if it.line.knows(in) {
			continue
		}
		for _, i := range identitiesOf(in) {
			if k := keyOf(i); !asked[k] {
				asked[k] = true
				b.add(k.typ, k.value, k.scope)
			}
		}
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		r := &identityRow{stored: true}
		err := row.Scan(&r.typ, &r.value, &r.scope, &r.contact, &r.verified)
		f.people.identities[r.identityKey] = r
		return err
	}, `SELECT i.type, i.value, i.scope, i.contact_id, i.verified FROM v
		CROSS JOIN identities i WHERE i.type = v.type AND i.value = v.value AND i.scope = v.scope`)
}

func (f *filer) readContacts() error {
	ids := map[desk.ID]bool{}
	for it := range f.live {
		ids[it.line.contact] = true
	}
	for _, r := range f.people.identities {
		ids[r.contact] = true
	}
	delete(ids, "")
	b := newBulk("id text", len(ids))
	for id := range ids {
		b.add(id)
	}
	return f.t.readContacts(b, &f.people)
}

func (t *tx) readContacts(ids *bulk, into *people) error {
	return t.bulkEach(ids, func(row *sql.Rows) error {
		c := &contactRow{stored: true}
		err := row.Scan(&c.ID, &c.Name, &c.Level, &c.Language)
		into.contacts[c.ID] = c
		return err
	}, `SELECT c.id, c.name, c.level, c.language FROM v CROSS JOIN contacts c WHERE c.id = v.id`)
}

// writer finds the contact of an inbound and notes what it tells of him. Messages that may not open a ticket make no contact
// either: then the answer may be "".
func (p *people) writer(it *item, in *desk.Inbound) desk.ID {
	mine := it.line.contact
	id := cmp.Or(p.known(in), mine)
	if in.Receipt != nil || in.Type == desk.EnvelopeReceipt || in.NoTicket && id == "" {
		return id
	}
	if p.contacts[id] == nil {
		id = desk.NewID()
		p.contacts[id] = &contactRow{dirty: true, Contact: desk.Contact{ID: id, Name: agentless(in), Level: in.Level, Language: in.Language, CreatedAt: p.now, UpdatedAt: p.now}}
	}
	if id != mine {
		it.moved, it.line.contact, it.line.dirty = mine, id, true
	}
	known := it.line.knows(in)
	p.learn(id, mine, in, known)
	if !in.FromAgent && !known {
		from := keyOf(in.From)
		it.line.from, it.line.dirty = desk.Identity{Type: from.typ, Value: from.value, Scope: from.scope, Verified: in.From.Verified}, true
	}
	return id
}

// knows tells that an inbound says nothing new of its writer: he writes by the same identity as last time and brings no other.
func (l *senderLine) knows(in *desk.Inbound) bool {
	return l.contact != "" && len(in.Also) == 0 && keyOf(in.From) == keyOf(l.from) && in.From.Verified == l.from.Verified
}

// agentless is the name a new contact gets: a caller's is his number until he tells another; a colleague's message tells none.
func agentless(in *desk.Inbound) string {
	switch {
	case in.FromAgent:
		return ""
	case in.Name == "" && in.From.Type == "phone":
		return in.From.Value
	}
	return in.Name
}

// known is the contact that a verified identity of the inbound belongs to. Claims that nobody proved join nobody.
func (p *people) known(in *desk.Inbound) desk.ID {
	for _, i := range identitiesOf(in) {
		if r := p.identities[keyOf(i)]; r != nil && r.verified && i.Verified && p.contacts[r.contact] != nil {
			return r.contact
		}
	}
	return ""
}

// learn notes identities, name, level and language of the contact. before is who the sender was taken for until now: his proven
// identities follow him.
func (p *people) learn(id, before desk.ID, in *desk.Inbound, known bool) {
	proven := false
	for _, i := range identitiesOf(in) {
		proven = proven || i.Verified
		if known {
			continue
		}
		k := keyOf(i)
		r := p.identities[k]
		switch {
		case r == nil:
			p.identities[k] = &identityRow{identityKey: k, contact: id, verified: i.Verified, dirty: true}
		case r.contact == id && i.Verified && !r.verified,
			r.contact != id && i.Verified && (!r.verified || r.contact == before):
			r.contact, r.verified, r.dirty = id, true, true
		}
	}
	c := p.contacts[id]
	if in.FromAgent {
		return
	}
	c.set(&c.Name, in.Name, proven)
	c.set(&c.Level, in.Level, true) // only sent when the channel proves it
	c.set(&c.Language, in.Language, proven)
}

// set takes over what the channel told: always when it is proven, else only into an empty field.
func (c *contactRow) set(field *string, told string, proven bool) {
	told = clean(told)
	if told == "" || *field == told || *field != "" && !proven {
		return
	}
	*field, c.dirty = told, true
}

// writePeople stores identities first: where another node was quicker to store the same proven one, its contact is taken.
func (f *filer) writePeople() error {
	known := newBulk("type text, value text, scope text, contact_id text, verified boolean", 0)
	fresh := newBulk(known.spec, 0)
	for _, r := range f.people.sortedDirty() {
		b := fresh
		if r.stored {
			b = known
		}
		b.add(r.typ, r.value, r.scope, r.contact, r.verified)
	}
	if _, err := f.t.bulkExec(known, `UPDATE identities SET contact_id = v.contact_id, verified = v.verified FROM v
		WHERE identities.type = v.type AND identities.value = v.value AND identities.scope = v.scope`); err != nil {
		return err
	}
	joined := map[desk.ID]desk.ID{}
	err := f.t.bulkEach(fresh, func(row *sql.Rows) error {
		var k identityKey
		var contact desk.ID
		if err := row.Scan(&k.typ, &k.value, &k.scope, &contact); err != nil {
			return err
		}
		if r := f.people.identities[k]; r.contact != contact && r.verified {
			joined[r.contact] = contact
		}
		return nil
	}, `INSERT INTO identities (type, value, scope, contact_id, verified, created_at)
		SELECT type, value, scope, contact_id, verified, ? FROM v WHERE true
		ON CONFLICT (type, value, scope) DO UPDATE SET verified = identities.verified OR excluded.verified,
			contact_id = CASE WHEN excluded.verified AND NOT identities.verified THEN excluded.contact_id ELSE identities.contact_id END
		RETURNING type, value, scope, contact_id`, int64(f.now))
	if err != nil {
		return err
	}
	if err := f.sameContact(joined); err != nil {
		return err
	}
	return f.writeContacts()
}

// sortedDirty lists the identities to write, in the same order on every node.
func (p *people) sortedDirty() []*identityRow {
	var dirty []*identityRow
	for _, r := range p.identities {
		if r.dirty {
			dirty = append(dirty, r)
		}
	}
	slices.SortFunc(dirty, func(a, b *identityRow) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.value, b.value), cmp.Compare(a.scope, b.scope))
	})
	return dirty
}

// sameContact replaces contacts made here by those another node had already.
func (f *filer) sameContact(joined map[desk.ID]desk.ID) error {
	if len(joined) == 0 {
		return nil
	}
	for _, it := range f.items {
		for i, id := range it.people {
			it.people[i] = cmp.Or(joined[id], id)
		}
		if it.line != nil && joined[it.line.contact] != "" {
			it.line.contact = joined[it.line.contact]
		}
	}
	ours := f.people.contacts
	f.people.contacts = map[desk.ID]*contactRow{}
	if err := f.readContacts(); err != nil {
		return err
	}
	for id, c := range ours {
		if joined[id] == "" {
			f.people.contacts[id] = c
		}
	}
	return nil
}

func (f *filer) writeContacts() error {
	const spec = "id text, name text, level text, language text"
	known, fresh := newBulk(spec, 0), newBulk(spec, 0)
	ids := make([]desk.ID, 0, len(f.people.contacts))
	for id, c := range f.people.contacts {
		if c.dirty {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		c, b := f.people.contacts[id], fresh
		if c.stored {
			b = known
		}
		b.add(id, c.Name, c.Level, c.Language)
	}
	if _, err := f.t.bulkExec(fresh, `INSERT INTO contacts (id, name, level, language, fields, created_at, updated_at)
		SELECT id, name, level, language, '{}', ?, ? FROM v`, int64(f.now), int64(f.now)); err != nil {
		return err
	}
	_, err := f.t.bulkExec(known, `UPDATE contacts SET name = v.name, level = v.level, language = v.language, updated_at = ? FROM v
		WHERE contacts.id = v.id`, int64(f.now))
	return err
}

// writerOf is the author and the contact as events carry him.
func (f *filer) writerOf(id desk.ID, in *desk.Inbound) (desk.Author, *desk.Contact) {
	if in.FromAgent {
		return desk.Author{Kind: "agent", Name: clean(in.Name)}, f.contact(id)
	}
	a := desk.Author{Kind: "contact", ID: id, Name: clean(in.Name)}
	c := f.contact(id)
	if c != nil && c.Name != "" {
		a.Name = c.Name
	}
	return a, c
}

// contact is a copy for events; nil when it is not known here.
func (f *filer) contact(id desk.ID) *desk.Contact {
	if c := f.people.contacts[id]; c != nil {
		return &desk.Contact{ID: c.ID, Name: c.Name, Level: c.Level, Language: c.Language}
	}
	return nil
}

package ticketstore

import (
	"fmt"

	"hearback/desk"
)

// A timeline is one ticket being changed by a person, the router or delivery: locked, its clock counted up by each change, and
// written once at the end.
type timeline struct {
	t        *tx
	now      desk.Time
	w        *ticketWork
	who      *desk.Contact
	messages []*messageWork
	changes  []*messageWork
	texts    []indexed
	events   []desk.Event
	moved    bool // something the lists sort by has changed
}

// timelines locks tickets by rising id and returns those that exist.
func (t *tx) timelines(ids []desk.ID) (map[desk.ID]*timeline, error) {
	all := make(map[desk.ID]*timeline, len(ids))
	contacts := map[desk.ID]*desk.Contact{}
	err := t.lockTickets(ids, func(w *ticketWork) {
		all[w.ID] = &timeline{t: t, now: t.s.now(), w: w}
		contacts[w.ContactID] = nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock tickets: %w", err)
	}
	b := newBulk("id text", len(contacts))
	for id := range contacts {
		b.add(id)
	}
	people := newPeople(t.s.now())
	if err := t.readContacts(b, &people); err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	for _, l := range all {
		if c := people.contacts[l.w.ContactID]; c != nil {
			l.who = &desk.Contact{ID: c.ID, Name: c.Name, Level: c.Level, Language: c.Language}
		}
	}
	return all, nil
}

// timeline locks one ticket; desk.ErrNotFound when there is none.
func (t *tx) timeline(id desk.ID) (*timeline, error) {
	all, err := t.timelines([]desk.ID{id})
	if err != nil {
		return nil, err
	}
	if l := all[id]; l != nil {
		return l, nil
	}
	return nil, desk.ErrNotFound
}

// tick counts the ticket's clock up by one change.
func (l *timeline) tick() { l.w.Version++ }

// touched notes that the ticket itself changed, not only how far a delivery has come.
func (l *timeline) touched() { l.moved, l.w.UpdatedAt = true, l.now }

// add appends a message.
func (l *timeline) add(m *desk.Message) *messageWork {
	l.tick()
	l.touched()
	if m.ID == "" {
		m.ID = desk.NewID()
	}
	m.TicketID, m.Seq, m.CreatedAt, m.UpdatedAt = l.w.ID, l.w.Version, l.now, l.now
	mw := &messageWork{Message: m}
	l.messages = append(l.messages, mw)
	l.tell("message", m)
	if m.Text != "" {
		l.texts = append(l.texts, indexed{MessageID: m.ID, TicketID: l.w.ID, Text: m.Text})
	}
	return mw
}

// system appends what somebody did to the ticket.
func (l *timeline) system(typ string, actor desk.Author, reason string, data map[string]string) *messageWork {
	if actor.Kind == "" {
		actor = house
	}
	return l.add(&desk.Message{Direction: desk.DirectionSystem, Author: actor,
		Event: &desk.SystemEvent{Type: typ, Actor: actor, Reason: clean(reason), Data: data}})
}

// changed notes that a message was changed in place.
func (l *timeline) changed(m *desk.Message) {
	l.tick()
	l.tell("message_update", m)
}

// alone counts a change of the ticket that no message tells of.
func (l *timeline) alone() {
	l.tick()
	l.touched()
	l.tell("ticket", nil)
}

func (l *timeline) tell(typ string, m *desk.Message) {
	l.events = append(l.events, desk.Event{Type: typ, TicketID: l.w.ID, Seq: l.w.Version, Message: m, Contact: l.who})
}

// save writes tickets and messages of all timelines; what did not change is not written.
func (t *tx) save(lines ...*timeline) error {
	var tickets []*ticketWork
	var added, changes []*messageWork
	var texts []indexed
	clocks := newBulk("id text, version bigint", len(lines))
	for _, l := range lines {
		switch {
		case len(l.events) == 0:
			continue
		case l.moved:
			tickets = append(tickets, l.w)
		default:
			clocks.add(l.w.ID, l.w.Version)
		}
		added, changes, texts = append(added, l.messages...), append(changes, l.changes...), append(texts, l.texts...)
	}
	if err := t.updateTickets(tickets); err != nil {
		return fmt.Errorf("update tickets: %w", err)
	}
	if _, err := t.bulkExec(clocks, `UPDATE tickets SET version = v.version FROM v WHERE tickets.id = v.id`); err != nil {
		return fmt.Errorf("count clocks up: %w", err)
	}
	if err := t.insertMessages(added); err != nil {
		return fmt.Errorf("insert messages: %w", err)
	}
	if err := t.updateMessages(changes); err != nil {
		return fmt.Errorf("update messages: %w", err)
	}
	return indexTexts(t, texts...)
}

// told are the events, each with the ticket as it stands at the end.
func (l *timeline) told() []desk.Event {
	ticket := l.w.Ticket
	for i := range l.events {
		l.events[i].Ticket = &ticket
	}
	return l.events
}

package ticketstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hearback/desk"
)

// Change does one act of a person on a ticket. desk.ErrClosed when the ticket is done and the act does not reopen it. What
// changes nothing writes nothing and has no events. When a ticket is resolved or closed, or comes back, the caller tells the
// router.
func (s *Store) Change(ctx context.Context, c Change) (desk.Ticket, []desk.Event, error) {
	var (
		ticket desk.Ticket
		events []desk.Event
	)
	err := s.write(ctx, func(t *tx) error {
		l, err := t.timeline(c.TicketID)
		if err != nil {
			return err
		}
		if err := l.apply(c); err != nil {
			return err
		}
		if err := t.save(l); err != nil {
			return err
		}
		ticket, events = l.w.Ticket, l.told()
		return nil
	})
	if err != nil {
		return desk.Ticket{}, nil, fmt.Errorf("change ticket: %w", err)
	}
	return ticket, events, nil
}

func (l *timeline) apply(c Change) error {
	if c.Status != "" {
		return l.setStatus(c)
	}
	t := &l.w.Ticket
	if t.Status.Done() {
		return desk.ErrClosed
	}
	switch {
	case c.Subject != nil && clean(*c.Subject) != t.Subject:
		t.Subject = clean(*c.Subject)
		l.alone()
		l.texts = append(l.texts, indexed{MessageID: t.ID, TicketID: t.ID, Text: t.Subject})
	case c.Priority != nil && *c.Priority != t.Priority:
		was := t.Priority
		t.Priority = *c.Priority
		l.system("priority", c.Actor, c.Reason, fromTo(string(was), string(t.Priority)))
	case c.Tags != nil:
		l.setTags(c)
	case c.Fields != nil:
		l.setFields(c)
	case c.SnoozedUntil != nil && *c.SnoozedUntil != t.SnoozedUntil:
		t.SnoozedUntil = *c.SnoozedUntil
		l.alone()
	}
	return nil
}

func fromTo(from, to string) map[string]string { return map[string]string{"from": from, "to": to} }

// setStatus moves a ticket through its life. Coming back it is open when somebody owns it, else new.
func (l *timeline) setStatus(c Change) error {
	t, was := &l.w.Ticket, l.w.Status
	to, typ := c.Status, "status"
	switch to {
	case desk.StatusNew, desk.StatusOpen:
		to = desk.StatusOpen
		if t.AssigneeID == "" {
			to = desk.StatusNew
		}
		if !was.Active() {
			typ = "reopened"
			t.ResolvedAt, t.ClosedAt = 0, 0
		}
	case desk.StatusWaiting:
	case desk.StatusResolved:
		typ = "resolved"
	case desk.StatusClosed:
		typ = "closed"
	case desk.StatusArchived:
		if was != desk.StatusClosed && was != to {
			return fmt.Errorf("only a closed ticket can be archived: %w", desk.ErrInvalid)
		}
	default:
		return fmt.Errorf("status %q: %w", c.Status, desk.ErrInvalid)
	}
	if was == to {
		return nil
	}
	if was.Done() && typ != "reopened" && to != desk.StatusArchived {
		return desk.ErrClosed
	}
	t.Status = to
	switch typ {
	case "resolved":
		t.ResolvedAt, t.SnoozedUntil, t.WaitingSince = l.now, 0, 0
	case "closed":
		t.ClosedAt, t.SnoozedUntil, t.WaitingSince = l.now, 0, 0
	}
	l.system(typ, c.Actor, c.Reason, fromTo(string(was), string(to)))
	return nil
}

func (l *timeline) setTags(c Change) {
	t, tags := &l.w.Ticket, []string{}
	for _, tag := range *c.Tags {
		if tag = strings.TrimSpace(clean(tag)); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if slices.Equal(tags, t.Tags) {
		return
	}
	data := map[string]string{"added": strings.Join(without(tags, t.Tags), ", "), "removed": strings.Join(without(t.Tags, tags), ", ")}
	t.Tags = tags
	l.system("tags", c.Actor, c.Reason, data)
}

// without lists what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func (l *timeline) setFields(c Change) {
	t, fields, changed := &l.w.Ticket, map[string]string{}, []string{}
	maps.Copy(fields, l.w.Fields)
	for _, k := range slices.Sorted(maps.Keys(c.Fields)) {
		key, value := clean(k), clean(c.Fields[k])
		if fields[key] == value {
			continue
		}
		changed = append(changed, key)
		if fields[key] = value; value == "" {
			delete(fields, key)
		}
	}
	if len(changed) == 0 {
		return
	}
	t.Fields = fields
	l.system("fields", c.Actor, c.Reason, map[string]string{"changed": strings.Join(changed, ", ")})
}

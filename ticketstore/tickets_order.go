package ticketstore

import (
	"fmt"
	"strconv"
	"strings"

	"hearback/desk"
)

// A ticketOrder is how a list is sorted and where its page begins. Every order ends in the id, so it is total.
type ticketOrder struct {
	name string
	keys []string // whole-number SQL expressions on tickets t
	desc bool
	mark listMark
}

// A listMark is a page's end: the sort keys of its last ticket. Now is the first page's clock, so that all pages of one list
// are cut from the same order.
type listMark struct {
	Sort string    `json:"s"`
	Now  desk.Time `json:"n"`
	Keys []int64   `json:"k"`
	ID   desk.ID   `json:"i"`
}

// orderOf reads Sort and Cursor.
func (s *Store) orderOf(f TicketFilter) (ticketOrder, error) {
	o := ticketOrder{name: f.Sort, mark: listMark{Now: s.now()}}
	if o.name == "" {
		o.name = "next"
	}
	if f.Cursor != "" {
		if err := decodeCursor(f.Cursor, &o.mark); err != nil {
			return o, err
		}
	}
	switch o.name {
	case "next":
		o.keys = nextKeys(o.mark.Now)
	case "updated":
		o.keys, o.desc = []string{"t.updated_at"}, true
	case "created":
		o.keys, o.desc = []string{"t.created_at"}, true
	default:
		return o, fmt.Errorf("sort %q: %w", f.Sort, desk.ErrInvalid)
	}
	if f.Cursor != "" && (o.mark.Sort != o.name || len(o.mark.Keys) != len(o.keys)) {
		return o, fmt.Errorf("cursor of another sort: %w", desk.ErrInvalid)
	}
	return o, nil
}

// nextKeys order what must be answered next: first tickets where somebody waits or is to be called back, then those we have answered, those put off and
// those that are done; within them by priority, by the nearer of the first-response deadline, the promised call back and the
// closing of the reply window, and by how long the customer has waited.
func nextKeys(now desk.Time) []string {
	at := strconv.FormatInt(int64(now), 10)
	const never = "9007199254740991"
	rank := `(CASE WHEN t.status NOT IN ('new', 'open', 'waiting') THEN 30 WHEN t.snoozed_until > ` + at + ` THEN 20` +
		` WHEN t.waiting_since = 0 AND t.status <> 'new' AND t.callback_state <> 'due' THEN 10 ELSE 0 END` +
		` + CASE t.priority WHEN 'critical' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END)`
	due := `CASE WHEN t.first_reply_at = 0 AND t.first_response_due_at > 0 THEN t.first_response_due_at ELSE ` + never + ` END`
	window := `CASE WHEN t.waiting_since > 0 AND t.window_closes_at > ` + at + ` THEN t.window_closes_at ELSE ` + never + ` END`
	callback := `CASE WHEN t.callback_state = 'due' AND t.callback_due_at > 0 THEN t.callback_due_at ELSE ` + never + ` END`
	deadline := earlier(window, earlier(due, callback))
	since := `(CASE WHEN t.waiting_since > 0 THEN t.waiting_since WHEN t.last_message_at > 0 THEN t.last_message_at ELSE t.created_at END)`
	return []string{rank, deadline, since}
}

// earlier is the lesser of two SQL numbers; the engines name that function differently.
func earlier(a, b string) string {
	return `(CASE WHEN ` + a + ` < ` + b + ` THEN ` + a + ` ELSE ` + b + ` END)`
}

// after is the condition that begins the page behind the mark.
func (o ticketOrder) after() ([]string, []any) {
	if o.mark.ID == "" {
		return nil, nil
	}
	than := " > "
	if o.desc {
		than = " < "
	}
	args := make([]any, 0, len(o.keys)+1)
	for _, k := range o.mark.Keys {
		args = append(args, k)
	}
	args = append(args, o.mark.ID)
	return []string{"(" + strings.Join(o.keys, ", ") + ", t.id)" + than + "(" + strings.Repeat("?, ", len(o.keys)) + "?)"}, args
}

// named lists the keys as k0, k1, … of the inner query; columns lists them for the outer one.
func (o ticketOrder) named() string {
	var b strings.Builder
	for i, k := range o.keys {
		fmt.Fprintf(&b, ", %s AS k%d", k, i)
	}
	return b.String()
}

func (o ticketOrder) columns() string {
	var b strings.Builder
	for i := range o.keys {
		fmt.Fprintf(&b, ", k.k%d", i)
	}
	return b.String()
}

// by is the inner query's ORDER BY: the expressions themselves, so that an index can serve them.
func (o ticketOrder) by(id string) string {
	return orderBy(append(append([]string{}, o.keys...), id), o.desc)
}

// outer sorts the page again after the joins.
func (o ticketOrder) outer() string {
	var keys []string
	for i := range o.keys {
		keys = append(keys, fmt.Sprintf("k.k%d", i))
	}
	return orderBy(append(keys, "k.id"), o.desc)
}

func orderBy(keys []string, desc bool) string {
	if desc {
		return " ORDER BY " + strings.Join(keys, " DESC, ") + " DESC"
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

// A listedTicket is a row with its sort keys.
type listedTicket struct {
	TicketRow
	keys []int64
}

func (o ticketOrder) scan(row scanner) (listedTicket, error) {
	t := listedTicket{keys: make([]int64, len(o.keys))}
	dest := ticketRowDest(&t.TicketRow)
	for i := range t.keys {
		dest = append(dest, &t.keys[i])
	}
	err := row.Scan(dest...)
	return t, err
}

func (o ticketOrder) cursor(last listedTicket) string {
	return encodeCursor(listMark{Sort: o.name, Now: o.mark.Now, Keys: last.keys, ID: last.ID})
}

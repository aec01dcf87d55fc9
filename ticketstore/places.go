package ticketstore

import (
	"fmt"
	"maps"
	"slices"

	"hearback/desk"
)

// refusedUntried are the codes of replies that were refused before they were tried: they give their place of the quota back.
var refusedUntried = []string{"window_closed", "quota_used"}

// A placeMove is a delivery that gives its place of a conversation's quota back, or takes one again.
type placeMove struct {
	delivery desk.ID
	senderKey
	places int // it held before
	made   desk.Time
}

// movePlaces gives back the places of deliveries that hold one, or takes one for those that hold none, and returns the
// conversations whose quota has changed. A quota told anew since the reply was written owes it nothing.
func (t *tx) movePlaces(ids []desk.ID, back bool) (map[desk.ID]senderKey, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := list(t.ctx, t.s, t, into(func(p *placeMove) []any {
		return []any{&p.delivery, &p.channel, &p.sender, &p.places, &p.made}
	}), `SELECT d.id, d.channel_id, COALESCE(NULLIF(d.sender, ''), t.sender), d.places, d.created_at FROM deliveries d JOIN tickets t ON t.id = d.ticket_id
		WHERE d.id IN (?) AND d.means = '' ORDER BY 2, 3, 1`, ids)
	if err != nil {
		return nil, fmt.Errorf("find places: %w", err)
	}
	moved := map[desk.ID]senderKey{}
	for _, p := range found {
		query, places := `UPDATE senders SET window_remaining = window_remaining - 1 WHERE channel_id = ? AND sender = ? AND window_remaining > 0`, 1
		args := []any{p.channel, p.sender}
		if back {
			query, places = `UPDATE senders SET window_remaining = window_remaining + 1 WHERE channel_id = ? AND sender = ? AND window_remaining >= 0 AND window_at <= ?`, 0
			args = append(args, p.made)
		}
		if p.places == places {
			continue
		}
		n, err := t.exec(query, args...)
		if err == nil && n > 0 {
			moved[p.delivery] = p.senderKey
			_, err = t.exec(`UPDATE deliveries SET places = ? WHERE id = ?`, places, p.delivery)
		}
		if err != nil {
			return nil, fmt.Errorf("move place: %w", err)
		}
	}
	return moved, nil
}

// showQuota shows the quota of conversations on all their tickets; those not in lines yet are added to it.
func (t *tx) showQuota(moved map[desk.ID]senderKey, lines map[desk.ID]*timeline) error {
	keys := map[senderKey]bool{}
	for _, k := range moved {
		keys[k] = true
	}
	for _, k := range sortedKeys(keys) {
		remaining, err := one(t.ctx, t.s, t, plain[int], `SELECT window_remaining FROM senders WHERE channel_id = ? AND sender = ?`, k.channel, k.sender)
		if err != nil {
			return fmt.Errorf("read quota: %w", err)
		}
		ids, err := list(t.ctx, t.s, t, plain[desk.ID], `SELECT t.id FROM tickets t WHERE t.channel_id = ? AND t.sender = ? AND `+unfinished, k.channel, k.sender)
		if err != nil {
			return fmt.Errorf("find the conversation's tickets: %w", err)
		}
		ids = slices.DeleteFunc(ids, func(id desk.ID) bool { return lines[id] != nil })
		more, err := t.timelines(slices.Sorted(slices.Values(ids)))
		if err != nil {
			return err
		}
		maps.Copy(lines, more)
		for _, id := range slices.Sorted(maps.Keys(lines)) {
			if l := lines[id]; l.w.ChannelID == k.channel && l.w.Sender == k.sender && l.w.WindowRemaining != remaining {
				l.w.WindowRemaining = remaining
				l.alone()
			}
		}
	}
	return nil
}

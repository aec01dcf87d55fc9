package ticketstore

import (
	"database/sql"
	"time"

	"hearback/desk"
)

// replies are the deliveries that a batch's receipts name, by the provider-visible id they were named with.
type replies map[replyKey]replyRow

type replyKey struct{ channel, external string }

type replyRow struct{ delivery, message, ticket desk.ID }

// An unknown reply may be one whose send is just returning with its provider's id: such a receipt is looked at again.
const (
	receiptTries = 3
	receiptWait  = 2 * time.Second
)

func (f *filer) findReplies() error {
	b := newBulk("channel_id text, external_id text", 0)
	asked := map[replyKey]bool{}
	for it, in := range f.inbounds {
		if in.Receipt == nil {
			continue
		}
		for _, id := range in.Receipt.ExternalIDs {
			k := replyKey{it.Envelope.ChannelID, clean(id)}
			if k.external != "" && !asked[k] {
				asked[k] = true
				b.add(k.channel, k.external)
			}
		}
	}
	return f.t.bulkEach(b, func(row *sql.Rows) error {
		var k replyKey
		var r replyRow
		if err := row.Scan(&k.channel, &k.external, &r.delivery, &r.message, &r.ticket); err != nil {
			return err
		}
		f.replies[k] = r
		return nil
	}, `SELECT v.channel_id, v.external_id, d.id, d.message_id, d.ticket_id FROM v
			CROSS JOIN deliveries d WHERE d.channel_id = v.channel_id AND d.external_id = v.external_id
		UNION ALL SELECT v.channel_id, v.external_id, d.id, d.message_id, d.ticket_id FROM v
			CROSS JOIN deliveries d WHERE d.channel_id = v.channel_id AND d.provider_id = v.external_id AND d.provider_id <> ''`)
}

// receipt applies what the provider tells of replies. States only rise: sent, delivered, read; a failure is believed whenever it
// comes, and what failed stays failed.
func (f *filer) receipt(it *item, in *desk.Inbound) {
	found := false
	if in.Receipt != nil {
		for _, id := range in.Receipt.ExternalIDs {
			r, ok := f.replies[replyKey{it.Envelope.ChannelID, clean(id)}]
			if !ok {
				continue
			}
			found = true
			f.raise(it, r, in.Receipt)
		}
	}
	switch {
	case found:
		it.verdict(desk.OutcomeUpdated, "")
	case in.Receipt != nil && len(it.Inbounds) == 1 && it.Envelope.Attempts < receiptTries:
		f.putBack(it, receiptWait)
	default:
		it.verdict(desk.OutcomeRejected, "tells of no reply of ours")
	}
}

// raise moves one delivery to the receipt's state when that is news.
func (f *filer) raise(it *item, r replyRow, told *desk.Receipt) {
	m, w := f.updates[r.message], f.tickets[r.ticket]
	if m == nil || w == nil || m.Delivery == nil {
		return
	}
	it.filed.TicketID, it.filed.MessageID = w.ID, m.ID
	if !news(m.Delivery.State, told.State) {
		return
	}
	d := *m.Delivery
	d.State, d.Code, d.Hint, d.NextAt = told.State, clean(told.Code), clean(told.Hint), 0
	m.Delivery = &d
	f.touch(w)
	f.out.raised = append(f.out.raised, d)
	f.out.changed(m, w, it, f.contact(w.ContactID))
	if told.State == desk.DeliveryFailed {
		f.wake(w, it) // the customer did not hear back
	}
}

// news tells whether a receipt of state to changes a delivery in state from.
func news(from, to desk.DeliveryState) bool {
	if to == desk.DeliveryFailed {
		return from != desk.DeliveryFailed
	}
	return from != desk.DeliveryFailed && progress(to) > progress(from)
}

func progress(s desk.DeliveryState) int {
	switch s {
	case desk.DeliverySent:
		return 1
	case desk.DeliveryDelivered:
		return 2
	case desk.DeliveryRead:
		return 3
	}
	return 0
}

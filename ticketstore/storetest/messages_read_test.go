package storetest

import (
	"errors"
	"slices"
	"testing"

	"hearback/desk"
)

func seqs(all []desk.Message) (n []int64) {
	for _, m := range all {
		n = append(n, m.Seq)
	}
	return n
}

func TestTimelineIsReadForwardsAndFromItsEnd(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		x := w.ticket(t, desk.Ticket{})
		for seq := range int64(9) {
			w.message(t, desk.Message{TicketID: x.ID, Seq: seq*2 + 1})
		}
		for _, c := range []struct {
			got  []desk.Message
			want []int64
		}{
			{must(w.Messages(ctx, x.ID, 0, 3))(t), []int64{1, 3, 5}},
			{must(w.Messages(ctx, x.ID, 5, 2))(t), []int64{7, 9}},
			{must(w.Messages(ctx, x.ID, 17, 2))(t), nil},
			{must(w.LastMessages(ctx, x.ID, 0, 3))(t), []int64{13, 15, 17}},
			{must(w.LastMessages(ctx, x.ID, 13, 2))(t), []int64{9, 11}},
			{must(w.LastMessages(ctx, "none", 0, 2))(t), nil},
		} {
			if got := seqs(c.got); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		}
		if got := must(w.Messages(ctx, x.ID, 0, 0))(t); len(got) != 9 {
			t.Errorf("%d messages", len(got))
		}
	})
}

func TestMessageComesWithFilesDeliveryAndEvent(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		x := w.ticket(t, desk.Ticket{})
		in := w.message(t, desk.Message{TicketID: x.ID, Seq: 1, Text: "见附件", Author: desk.Author{Kind: "contact", ID: "c", Name: "王芳"}})
		out := w.message(t, desk.Message{TicketID: x.ID, Seq: 2, Direction: desk.DirectionOut})
		did := w.message(t, desk.Message{TicketID: x.ID, Seq: 3, Direction: desk.DirectionSystem})
		w.exec(t, `UPDATE messages SET extra = ? WHERE id = ?`, `{"event":{"type":"assigned","actor":{"kind":"system","id":"","name":""},"reason":"least load","data":{"to":"x"}},"repairs":["charset guessed"]}`, did.ID)
		for _, name := range []string{"a.png", "b.pdf"} {
			w.put(t, "attachments", "id", desk.NewID(), "message_id", in.ID, "ticket_id", x.ID, "name", name, "type", "image/png", "size", 7, "blob", "sha",
				"inline", false, "state", "stored", "created_at", 0)
		}
		w.put(t, "deliveries", "id", "d", "message_id", out.ID, "ticket_id", x.ID, "channel_id", "ch", "seq", 2, "external_id", "e", "automatic", false,
			"state", "queued", "attempts", 2, "next_attempt_at", int64(noon)+5, "give_up_at", 0, "hint", "later", "created_at", 0, "updated_at", 0)

		all := must(w.Messages(ctx, x.ID, 0, 0))(t)
		if m := all[0]; len(m.Attachments) != 2 || m.Attachments[0].Name != "a.png" || m.Attachments[1].Name != "b.pdf" || m.Delivery != nil || m.Author.Name != "王芳" {
			t.Errorf("%+v", m)
		}
		if d := all[1].Delivery; d == nil || d.State != desk.DeliveryQueued || d.Attempts != 2 || d.NextAt != noon+5 || d.Hint != "later" {
			t.Errorf("%+v", d)
		}
		if m := all[2]; m.Event == nil || m.Event.Type != "assigned" || m.Event.Data["to"] != "x" || len(m.Repairs) != 1 {
			t.Errorf("%+v", m)
		}
		if m := must(w.Message(ctx, in.ID))(t); len(m.Attachments) != 2 || m.Text != "见附件" {
			t.Errorf("%+v", m)
		}
		if _, err := w.Message(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestUploadWaitsForItsMessage(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := must(w.AddUpload(ctx, desk.Attachment{Name: "发票.pdf", Type: "application/pdf", Size: 9, Blob: "sha"}, "ann"))(t)
		got, ticket, err := w.Attachment(ctx, f.ID)
		if err != nil || ticket != "" || got != f || got.State != "stored" {
			t.Errorf("%+v, %q, %v", got, ticket, err)
		}
		w.exec(t, `UPDATE attachments SET message_id = 'm', ticket_id = 't'`)
		if got, ticket, err := w.Attachment(ctx, f.ID); err != nil || ticket != "t" || got.MessageID != "m" {
			t.Errorf("%+v, %q, %v", got, ticket, err)
		}
		if _, _, err := w.Attachment(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
	})
}

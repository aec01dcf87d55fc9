package ticketstore

import (
	"cmp"

	"hearback/desk"
)

// consequences are what a call means for its ticket, from how it stood before to how it stands: a missed call waits for an
// answer and is to be called back, a talk is one.
func (f *filer) consequences(c *callWork, before desk.Call, w *ticketWork, m *desk.Message, it *item) {
	is := &c.body.Call
	missed, was := is.Missed() && is.Direction == "inbound", before.Missed() && before.Direction == "inbound"
	talked := is.AnsweredAt != 0 && !missed
	switch {
	case missed && !was:
		f.missedCall(c, w, it)
	case was && !missed:
		f.notMissed(c, w, m, it)
	}
	if talked && (before.AnsweredAt == 0 || was) {
		w.FirstReplyAt = cmp.Or(w.FirstReplyAt, is.AnsweredAt)
		w.WaitingSince = 0
		if w.Callback.State != "" && w.Callback.State != "done" {
			f.setCallback(w, desk.Callback{State: "done", Number: w.Callback.Number, DueAt: w.Callback.DueAt}, it)
		}
	}
	if is.Direction == "outbound" && is.State == "ended" && before.State != "ended" && !talked && w.Callback.State == "requested" {
		f.setCallback(w, desk.Callback{State: "due", Number: w.Callback.Number, DueAt: w.Callback.DueAt}, it)
	}
}

func (f *filer) missedCall(c *callWork, w *ticketWork, it *item) {
	p := c.body.Policy
	if w.WaitingSince == 0 {
		w.WaitingSince = min(cmp.Or(c.body.Call.EndedAt, f.now), f.now)
	}
	if p.CallBackIn > 0 && c.customer != "" && (w.Callback.State == "" || w.Callback.State == "done") {
		due := f.now.Add(p.CallBackIn)
		f.setCallback(w, desk.Callback{State: "due", Number: c.customer, DueAt: due}, it)
		if w.FirstReplyAt == 0 && (w.FirstResponseDueAt == 0 || w.FirstResponseDueAt > due) {
			w.FirstResponseDueAt = due
		}
	}
	f.missedOn[w.ID]++
	if p.UrgentAfter > 0 && f.missedOn[w.ID] >= p.UrgentAfter && w.Priority == desk.PriorityNormal {
		w.Priority = desk.PriorityUrgent
		f.system(w, it, "priority", fromTo(string(desk.PriorityNormal), string(w.Priority)))
	}
}

// notMissed takes back what a missed call led to: somebody talked, and we heard of it late. A ticket that stands for nothing else
// is resolved.
func (f *filer) notMissed(c *callWork, w *ticketWork, m *desk.Message, it *item) {
	f.missedOn[w.ID]--
	if w.Callback.State == "due" && w.Callback.Number == c.customer {
		f.setCallback(w, desk.Callback{}, it)
	}
	if w.lastInSeq == m.Seq {
		w.WaitingSince = 0
	}
	if c.body.Opened && c.body.Policy.Open != "every" && w.Status == desk.StatusNew && w.AssigneeID == "" && w.lastInSeq == m.Seq && w.FirstReplyAt == 0 {
		w.Status, w.ResolvedAt = desk.StatusResolved, f.now
		f.system(w, it, "resolved", map[string]string{"from": string(desk.StatusNew), "to": string(desk.StatusResolved), "call": "answered"})
	}
}

// setCallback changes a ticket's promise to call back and says so.
func (f *filer) setCallback(w *ticketWork, to desk.Callback, it *item) {
	from := w.Callback.State
	w.Callback = to
	f.system(w, it, "callback", callbackData(from, to))
}

func callbackData(from string, to desk.Callback) map[string]string {
	data := fromTo(from, to.State)
	if to.DueAt != 0 {
		data["due_at"] = to.DueAt.String()
	}
	return data
}

package ticketstore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"hearback/desk"
)

// Assign confirms or refuses the router's picks; results are parallel to assignments. A pick is taken when its epoch is above the
// ticket's, the ticket is active (a transfer may take a resolved one too) and, when Unowned is set, nobody owns it. Taken
// picks write a system message and the decision.
func (s *Store) Assign(ctx context.Context, assignments []Assignment) ([]AssignResult, error) {
	var results []AssignResult
	err := s.write(ctx, func(t *tx) error {
		results = make([]AssignResult, len(assignments))
		ids := map[desk.ID]bool{}
		for _, a := range assignments {
			ids[a.TicketID] = true
		}
		lines, err := t.timelines(slices.Sorted(maps.Keys(ids)))
		if err != nil {
			return err
		}
		var decisions []decisionRow
		for i, a := range assignments {
			l := lines[a.TicketID]
			if l == nil || !a.fits(&l.w.Ticket) {
				continue
			}
			results[i].Taken = true
			before := len(l.events)
			l.assign(a)
			results[i].Events = l.events[before:]
			if a.Decision != nil {
				decisions = append(decisions, decisionRow{ticket: a.TicketID, kind: a.Kind, detail: rawJSON(a.Decision)})
			}
		}
		if err := t.save(slices.Collect(maps.Values(lines))...); err != nil {
			return err
		}
		for i, a := range assignments {
			if l := lines[a.TicketID]; l != nil {
				results[i].Ticket = l.w.Ticket
				l.told()
			}
		}
		return t.insertDecisions(decisions, s.now())
	})
	if err != nil {
		return nil, fmt.Errorf("assign: %w", err)
	}
	return results, nil
}

// fits is the referee: the epoch is the fence against picks that came late.
func (a Assignment) fits(t *desk.Ticket) bool {
	takes := t.Status.Active() || t.Status == desk.StatusResolved && a.Kind == "transferred"
	return takes && a.Epoch > t.AssignEpoch && (!a.Unowned || t.AssigneeID == "")
}

func (l *timeline) assign(a Assignment) {
	t := &l.w.Ticket
	data := map[string]string{"assignee_id": a.AgentID}
	if t.AssigneeID != "" && t.AssigneeID != a.AgentID {
		data["previous_id"] = t.AssigneeID
		t.LastAgentID = t.AssigneeID
	}
	t.AssigneeID, t.AssignEpoch = a.AgentID, a.Epoch
	if t.Status == desk.StatusNew || t.Status == desk.StatusResolved {
		t.Status, t.ResolvedAt = desk.StatusOpen, 0
	}
	l.system(a.Kind, a.Actor, a.Reason, data)
}

// Unassign takes a ticket from its owner, or moves an unowned one, and puts it into a queue: toTeam's, or with nil the team's it
// belongs to. It is new again and remembers who owned it. kind is requeued or transferred. Taken is false when somebody else
// owns it under another epoch by now; epoch -1 takes it whatever it is. desk.ErrClosed when the ticket is done.
func (s *Store) Unassign(ctx context.Context, ticket desk.ID, epoch int64, toTeam *desk.ID, kind string, actor desk.Author, reason string) (AssignResult, error) {
	var result AssignResult
	err := s.write(ctx, func(t *tx) error {
		result = AssignResult{}
		l, err := t.timeline(ticket)
		if err != nil {
			return err
		}
		w := l.w
		if w.Status.Done() {
			return desk.ErrClosed
		}
		result.Ticket = w.Ticket
		if epoch >= 0 && w.AssignEpoch != epoch || w.AssigneeID == "" && (toTeam == nil || *toTeam == w.TeamID) {
			return nil
		}
		data := l.unassign(toTeam)
		l.system(kind, actor, reason, data)
		if err := t.save(l); err != nil {
			return err
		}
		result = AssignResult{Taken: true, Ticket: w.Ticket, Events: l.told()}
		why := map[string]string{"reason": reason, "actor_id": actor.ID}
		maps.Copy(why, data)
		return t.insertDecisions([]decisionRow{{ticket: ticket, kind: kind, detail: toJSON(why)}}, s.now())
	})
	if err != nil {
		return AssignResult{}, fmt.Errorf("unassign: %w", err)
	}
	return result, nil
}

func (l *timeline) unassign(toTeam *desk.ID) map[string]string {
	t, data := &l.w.Ticket, map[string]string{}
	if t.AssigneeID != "" {
		data["previous_id"] = t.AssigneeID
		t.LastAgentID, t.AssigneeID = t.AssigneeID, ""
	}
	if toTeam != nil && *toTeam != t.TeamID {
		data["from_team_id"], data["team_id"] = t.TeamID, *toTeam
		t.TeamID = *toTeam
	}
	t.Status, t.ResolvedAt = desk.StatusNew, 0
	return data
}

const loadColumns = `t.id, t.status, t.assignee_id, t.assign_epoch, t.team_id, t.last_agent_id, t.channel_kind, t.priority, ` +
	earlierDue + `, t.created_at`

// earlierDue is when a ticket's first answer or its promised call back is due, whichever is earlier; 0 for neither. A first answer
// given is due no more.
const earlierDue = `CASE WHEN t.callback_state = 'due' AND t.callback_due_at > 0 AND (t.first_reply_at > 0 OR t.first_response_due_at = 0` +
	` OR t.callback_due_at < t.first_response_due_at) THEN t.callback_due_at ELSE t.first_response_due_at END`

func scanLoad(row scanner) (Load, error) {
	var l Load
	err := row.Scan(&l.TicketID, &l.Status, &l.AssigneeID, &l.Epoch, &l.TeamID, &l.LastAgentID, &l.ChannelKind, &l.Priority, &l.DueAt, &l.CreatedAt)
	return l, err
}

// Loads pages through every ticket that is new, open or waiting, by id: what the router rebuilds its board from.
func (s *Store) Loads(ctx context.Context, after desk.ID, limit int) ([]Load, error) {
	found, err := list(ctx, s, s.read, scanLoad, `SELECT `+loadColumns+` FROM tickets t
		WHERE t.status IN ('new', 'open', 'waiting') AND t.id > ? ORDER BY t.id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read loads: %w", err)
	}
	return found, nil
}

// LoadsByID reads the loads of some tickets, whatever their status; those that do not exist are left out.
func (s *Store) LoadsByID(ctx context.Context, ids []desk.ID) ([]Load, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := list(ctx, s, s.read, scanLoad, `SELECT `+loadColumns+` FROM tickets t WHERE t.id IN (?)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read loads: %w", err)
	}
	return found, nil
}

// MaxEpoch is the highest assignment epoch ever confirmed: a rebuilt board must begin above it.
func (s *Store) MaxEpoch(ctx context.Context) (int64, error) {
	var last int64
	if err := s.read.GetContext(ctx, &last, `SELECT COALESCE(MAX(assign_epoch), 0) FROM tickets WHERE assign_epoch > 0`); err != nil {
		return 0, fmt.Errorf("read highest epoch: %w", s.fault(err))
	}
	return last, nil
}

// AddDecision stores a "why" of a ticket.
func (s *Store) AddDecision(ctx context.Context, ticket desk.ID, kind string, detail json.RawMessage) error {
	err := s.write(ctx, func(t *tx) error {
		return t.insertDecisions([]decisionRow{{ticket: ticket, kind: kind, detail: rawJSON(detail)}}, s.now())
	})
	if err != nil {
		return fmt.Errorf("add decision: %w", err)
	}
	return nil
}

// Decisions lists why a ticket is where it is, oldest first.
func (s *Store) Decisions(ctx context.Context, ticket desk.ID) ([]Decision, error) {
	found, err := list(ctx, s, s.read, func(row scanner) (Decision, error) {
		var d Decision
		var detail []byte
		err := row.Scan(&d.ID, &d.Kind, &d.At, &detail)
		d.Detail = detail
		return d, err
	}, `SELECT id, kind, at, detail FROM decisions WHERE ticket_id = ? ORDER BY id`, ticket)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return found, nil
}

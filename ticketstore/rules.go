package ticketstore

import (
	"context"
	"fmt"

	"hearback/desk"
)

// ruleBody is the column rules.body.
type ruleBody struct {
	All      []string      `json:"all,omitempty"`
	Any      []string      `json:"any,omitempty"`
	Not      []string      `json:"not,omitempty"`
	Channels []desk.ID     `json:"channels,omitempty"`
	Team     desk.ID       `json:"team,omitempty"`
	Priority desk.Priority `json:"priority,omitempty"`
	Tags     []string      `json:"tags,omitempty"`
}

const ruleQuery = `SELECT id, name, position, enabled, body, version, created_at, updated_at FROM rules`

func scanRule(row scanner) (desk.Rule, error) {
	var (
		r desk.Rule
		b ruleBody
	)
	err := row.Scan(&r.ID, &r.Name, &r.Position, &r.Enabled, jsonInto{&b}, &r.Version, &r.CreatedAt, &r.UpdatedAt)
	r.All, r.Any, r.Not, r.Channels, r.TeamID, r.Priority, r.Tags = b.All, b.Any, b.Not, b.Channels, b.Team, b.Priority, b.Tags
	return r, err
}

// Rules reads all rules in the order they are tried, disabled ones included.
func (s *Store) Rules(ctx context.Context) ([]desk.Rule, error) {
	found, err := list(ctx, s, s.read, scanRule, ruleQuery+` ORDER BY position, id`)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return found, nil
}

// Rule reads one; desk.ErrNotFound when there is none.
func (s *Store) Rule(ctx context.Context, id desk.ID) (desk.Rule, error) {
	r, err := one(ctx, s, s.read, scanRule, ruleQuery+` WHERE id = ?`, id)
	if err != nil {
		return desk.Rule{}, fmt.Errorf("read rule %s: %w", id, err)
	}
	return r, nil
}

// SaveRule stores a rule, a new one when its ID is empty (Position 0 puts it at the end). A Version other than 0 must be the
// stored one, else somebody changed the rule meanwhile: desk.ErrConflict.
func (s *Store) SaveRule(ctx context.Context, r desk.Rule) (saved desk.Rule, err error) {
	if r.Name == "" || len(r.All)+len(r.Any) == 0 {
		return desk.Rule{}, fmt.Errorf("save rule: a name and a word to look for are needed: %w", desk.ErrInvalid)
	}
	isNew := r.ID == ""
	if isNew {
		r.ID = desk.NewID()
	}
	err = s.write(ctx, func(t *tx) error {
		write := t.updateRule
		if isNew {
			write = t.insertRule
		}
		if err := write(r); err != nil {
			return err
		}
		saved, err = one(t.ctx, s, t, scanRule, ruleQuery+` WHERE id = ?`, r.ID)
		return err
	})
	if err != nil {
		return desk.Rule{}, fmt.Errorf("save rule: %w", err)
	}
	return saved, nil
}

func bodyOf(r desk.Rule) string {
	return toJSON(ruleBody{All: r.All, Any: r.Any, Not: r.Not, Channels: r.Channels, Team: r.TeamID, Priority: r.Priority, Tags: r.Tags})
}

func (t *tx) insertRule(r desk.Rule) error {
	now := t.s.now()
	if r.Position == 0 {
		last, err := one(t.ctx, t.s, t, plain[int], `SELECT COALESCE(MAX(position), 0) FROM rules`)
		if err != nil {
			return err
		}
		r.Position = last + 1
	}
	_, err := t.exec(`INSERT INTO rules (id, name, position, enabled, body, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, 1, ?, ?)`,
		r.ID, r.Name, r.Position, r.Enabled, bodyOf(r), now, now)
	return err
}

func (t *tx) updateRule(r desk.Rule) error {
	version, err := one(t.ctx, t.s, t, plain[int64], `SELECT version FROM rules WHERE id = ?`+t.s.dialect.forUpdate, r.ID)
	if err == nil && r.Version != 0 && r.Version != version {
		err = fmt.Errorf("changed by somebody else meanwhile: %w", desk.ErrConflict)
	}
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE rules SET name = ?, position = ?, enabled = ?, body = ?, version = version + 1, updated_at = ? WHERE id = ?`,
		r.Name, r.Position, r.Enabled, bodyOf(r), t.s.now(), r.ID)
	return err
}

// DeleteRule removes a rule; desk.ErrNotFound when there is none.
func (s *Store) DeleteRule(ctx context.Context, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error { return changed(t.exec(`DELETE FROM rules WHERE id = ?`, id)) })
	if err != nil {
		return fmt.Errorf("delete rule %s: %w", id, err)
	}
	return nil
}

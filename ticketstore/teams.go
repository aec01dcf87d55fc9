package ticketstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hearback/desk"
)

func scanTeam(row scanner) (desk.Team, error) {
	var x desk.Team
	err := row.Scan(&x.ID, &x.Name, jsonInto{&x.Queues}, &x.Template, &x.CreatedAt, &x.UpdatedAt)
	return x, err
}

const teamQuery = `SELECT id, name, queues, template, created_at, updated_at FROM teams`

// Teams reads all teams by name.
func (s *Store) Teams(ctx context.Context) ([]desk.Team, error) {
	found, err := list(ctx, s, s.read, scanTeam, teamQuery+` ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read teams: %w", err)
	}
	return found, nil
}

// Team reads one; desk.ErrNotFound when there is none.
func (s *Store) Team(ctx context.Context, id desk.ID) (desk.Team, error) {
	x, err := one(ctx, s, s.read, scanTeam, teamQuery+` WHERE id = ?`, id)
	if err != nil {
		return desk.Team{}, fmt.Errorf("read team %s: %w", id, err)
	}
	return x, nil
}

// SaveTeam stores a team, a new one when its ID is empty. A name used by another team is desk.ErrConflict.
func (s *Store) SaveTeam(ctx context.Context, team desk.Team) (saved desk.Team, err error) {
	team.Name = strings.TrimSpace(team.Name)
	team.Queues = names(team.Queues)
	if team.Name == "" {
		return desk.Team{}, fmt.Errorf("save team: a name is needed: %w", desk.ErrInvalid)
	}
	isNew := team.ID == ""
	if isNew {
		team.ID = desk.NewID()
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := one(t.ctx, s, t, plain[int], `SELECT COUNT(*) FROM teams WHERE name = ? AND id <> ?`, team.Name, team.ID)
		if err == nil && n > 0 {
			err = fmt.Errorf("another team has this name: %w", desk.ErrConflict)
		}
		if err != nil {
			return err
		}
		now := s.now()
		if isNew {
			_, err = t.exec(`INSERT INTO teams (id, name, queues, template, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
				team.ID, team.Name, toJSON(team.Queues), team.Template, now, now)
		} else {
			err = changed(t.exec(`UPDATE teams SET name = ?, queues = ?, template = ?, updated_at = ? WHERE id = ?`,
				team.Name, toJSON(team.Queues), team.Template, now, team.ID))
		}
		if err == nil {
			saved, err = one(t.ctx, s, t, scanTeam, teamQuery+` WHERE id = ?`, team.ID)
		}
		return err
	})
	if err != nil {
		return desk.Team{}, fmt.Errorf("save team: %w", err)
	}
	return saved, nil
}

// DeleteTeam removes a team and its memberships. While work, a channel or a rule still points to it, it stays: desk.ErrConflict
// names what does.
func (s *Store) DeleteTeam(ctx context.Context, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.teamIsFree(id); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM agent_teams WHERE team_id = ?`, id); err != nil {
			return err
		}
		return changed(t.exec(`DELETE FROM teams WHERE id = ?`, id))
	})
	if err != nil {
		return fmt.Errorf("delete team %s: %w", id, err)
	}
	return nil
}

func (t *tx) teamIsFree(id desk.ID) error {
	for _, use := range []struct{ what, query string }{
		{"tickets in work belong", `SELECT COUNT(*) FROM tickets WHERE team_id = ? AND status IN ('new', 'open', 'waiting', 'resolved')`},
		{"channels send", `SELECT COUNT(*) FROM channels WHERE team_id = ?`},
	} {
		n, err := one(t.ctx, t.s, t, plain[int], use.query, id)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d %s to this team: %w", n, use.what, desk.ErrConflict)
		}
		if err != nil {
			return err
		}
	}
	rules, err := list(t.ctx, t.s, t, scanRule, ruleQuery)
	if err == nil && slices.ContainsFunc(rules, func(r desk.Rule) bool { return r.TeamID == id }) {
		err = fmt.Errorf("rules send to this team: %w", desk.ErrConflict)
	}
	return err
}

// names are trimmed, each once (without regard to case), empty ones left out.
func names(told []string) []string {
	var kept []string
	for _, n := range told {
		n = strings.TrimSpace(n)
		if n != "" && !slices.ContainsFunc(kept, func(k string) bool { return strings.EqualFold(k, n) }) {
			kept = append(kept, n)
		}
	}
	return kept
}

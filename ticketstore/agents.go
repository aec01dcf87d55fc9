package ticketstore

import (
	"context"
	"fmt"
	"strings"

	"hearback/desk"
)

const agentColumns = `a.id, a.email, a.name, a.role, a.skills, a.capacity, a.bot, a.disabled, a.language, a.extensions, a.signature, a.created_at, a.updated_at`

func agentDest(a *desk.Agent) []any {
	return []any{&a.ID, &a.Email, &a.Name, &a.Role, jsonInto{&a.Skills}, &a.Capacity, &a.Bot, &a.Disabled, &a.Language,
		jsonInto{&a.Extensions}, &a.Signature, &a.CreatedAt, &a.UpdatedAt}
}

func scanAgent(row scanner) (desk.Agent, error) {
	var a desk.Agent
	err := row.Scan(agentDest(&a)...)
	return a, err
}

// Agents reads everybody who answers, bots and disabled ones included, by name.
func (s *Store) Agents(ctx context.Context) ([]desk.Agent, error) {
	found, err := list(ctx, s, s.read, scanAgent, `SELECT `+agentColumns+` FROM agents a ORDER BY a.name, a.id`)
	if err == nil {
		err = s.addTeams(ctx, s.read, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read agents: %w", err)
	}
	return found, nil
}

// Agent reads one; desk.ErrNotFound when there is none.
func (s *Store) Agent(ctx context.Context, id desk.ID) (desk.Agent, error) {
	a, err := s.agent(ctx, s.read, id)
	if err != nil {
		return desk.Agent{}, fmt.Errorf("read agent %s: %w", id, err)
	}
	return a, nil
}

func (s *Store) agent(ctx context.Context, from source, id desk.ID) (desk.Agent, error) {
	a, err := one(ctx, s, from, scanAgent, `SELECT `+agentColumns+` FROM agents a WHERE a.id = ?`, id)
	if err != nil {
		return desk.Agent{}, err
	}
	found := []desk.Agent{a}
	if err := s.addTeams(ctx, from, found); err != nil {
		return desk.Agent{}, err
	}
	return found[0], nil
}

// AgentByEmail reads an agent with what a log-in needs; desk.ErrNotFound when there is none. The address is compared without
// regard to case.
func (s *Store) AgentByEmail(ctx context.Context, email string) (agent desk.Agent, passwordHash string, mustChange bool, err error) {
	agent, err = one(ctx, s, s.read, into(func(a *desk.Agent) []any {
		return append(agentDest(a), &passwordHash, &mustChange)
	}), `SELECT `+agentColumns+`, a.password_hash, a.must_change FROM agents a WHERE a.email = ?`, foldEmail(email))
	found := []desk.Agent{agent}
	if err == nil {
		err = s.addTeams(ctx, s.read, found)
	}
	if err != nil {
		return desk.Agent{}, "", false, fmt.Errorf("read agent by e-mail: %w", err)
	}
	return found[0], passwordHash, mustChange, nil
}

func foldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// addTeams fills in the teams of all agents in one query.
func (s *Store) addTeams(ctx context.Context, from source, agents []desk.Agent) error {
	if len(agents) == 0 {
		return nil
	}
	at := make(map[desk.ID]*desk.Agent, len(agents))
	ids := make([]desk.ID, len(agents))
	for i := range agents {
		at[agents[i].ID], ids[i] = &agents[i], agents[i].ID
	}
	type member struct{ agent, team desk.ID }
	found, err := list(ctx, s, from, into(func(m *member) []any {
		return []any{&m.agent, &m.team}
	}), `SELECT agent_id, team_id FROM agent_teams WHERE agent_id IN (?) ORDER BY team_id`, ids)
	if err != nil {
		return fmt.Errorf("read teams: %w", err)
	}
	for _, m := range found {
		a := at[m.agent]
		a.Teams = append(a.Teams, m.team)
	}
	return nil
}

// CreateAgent stores a new agent; desk.ErrConflict when the address is taken. An empty hash lets nobody log in with a password.
func (s *Store) CreateAgent(ctx context.Context, a desk.Agent, passwordHash string, mustChange bool) (saved desk.Agent, err error) {
	if err := checkAgent(&a); err != nil {
		return desk.Agent{}, fmt.Errorf("create agent: %w", err)
	}
	a.ID = desk.NewID()
	err = s.write(ctx, func(t *tx) error {
		now := s.now()
		n, err := t.exec(`INSERT INTO agents (id, email, name, role, skills, capacity, bot, disabled, language, extensions, signature,
			password_hash, must_change, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, a.ID, a.Email, a.Name, a.Role, toJSON(a.Skills), a.Capacity,
			a.Bot, a.Disabled, a.Language, toJSON(a.Extensions), a.Signature, passwordHash, mustChange, now, now)
		if err == nil && n == 0 {
			err = fmt.Errorf("this e-mail address belongs to another agent: %w", desk.ErrConflict)
		}
		if err == nil {
			err = putTeams(t, a)
		}
		if err == nil {
			saved, err = s.agent(t.ctx, t, a.ID)
		}
		return err
	})
	if err != nil {
		return desk.Agent{}, fmt.Errorf("create agent: %w", err)
	}
	return saved, nil
}

// UpdateAgent changes an agent's e-mail, name, role, teams, skills, capacity, language, extensions, signature and whether he is a bot or disabled.
// desk.ErrConflict when the address is taken or nobody who may administrate would be left.
func (s *Store) UpdateAgent(ctx context.Context, a desk.Agent) (saved desk.Agent, err error) {
	if err := checkAgent(&a); err != nil {
		return desk.Agent{}, fmt.Errorf("update agent: %w", err)
	}
	err = s.write(ctx, func(t *tx) error {
		if err := t.freeEmail(a); err != nil {
			return err
		}
		if err := t.keepAnAdmin(a); err != nil {
			return err
		}
		err := changed(t.exec(`UPDATE agents SET email = ?, name = ?, role = ?, skills = ?, capacity = ?, bot = ?, disabled = ?, language = ?,
			extensions = ?, signature = ?, updated_at = ? WHERE id = ?`, a.Email, a.Name, a.Role, toJSON(a.Skills), a.Capacity, a.Bot, a.Disabled, a.Language,
			toJSON(a.Extensions), a.Signature, s.now(), a.ID))
		if err == nil {
			err = putTeams(t, a)
		}
		if err == nil {
			saved, err = s.agent(t.ctx, t, a.ID)
		}
		return err
	})
	if err != nil {
		return desk.Agent{}, fmt.Errorf("update agent: %w", err)
	}
	return saved, nil
}

func checkAgent(a *desk.Agent) error {
	a.Email = foldEmail(a.Email)
	a.Extensions = names(a.Extensions)
	if a.Name == "" || !strings.Contains(a.Email, "@") {
		return fmt.Errorf("name and e-mail address are needed: %w", desk.ErrInvalid)
	}
	if a.Role != desk.RoleAdmin && a.Role != desk.RoleSupervisor && a.Role != desk.RoleAgent {
		return fmt.Errorf("role %q: %w", a.Role, desk.ErrInvalid)
	}
	if a.Capacity < 0 {
		return fmt.Errorf("capacity %d: %w", a.Capacity, desk.ErrInvalid)
	}
	return nil
}

// freeEmail asks before the update, because a failed statement ends a transaction on PostgreSQL.
func (t *tx) freeEmail(a desk.Agent) error {
	n, err := one(t.ctx, t.s, t, plain[int], `SELECT COUNT(*) FROM agents WHERE email = ? AND id <> ?`, a.Email, a.ID)
	if err == nil && n > 0 {
		err = fmt.Errorf("this e-mail address belongs to another agent: %w", desk.ErrConflict)
	}
	return err
}

// keepAnAdmin refuses to lock everybody out: of the admins who can log in, the last one stays one.
func (t *tx) keepAnAdmin(a desk.Agent) error {
	if a.Role == desk.RoleAdmin && !a.Disabled && !a.Bot {
		return nil
	}
	// The rows are locked so that two admins cannot disable each other at once.
	admins, err := list(t.ctx, t.s, t, plain[desk.ID], `SELECT id FROM agents WHERE role = ? AND disabled = ? AND bot = ? ORDER BY id`+t.s.dialect.forUpdate,
		desk.RoleAdmin, false, false)
	if err == nil && len(admins) == 1 && admins[0] == a.ID {
		err = fmt.Errorf("this is the last admin: %w", desk.ErrConflict)
	}
	return err
}

func putTeams(t *tx, a desk.Agent) error {
	if _, err := t.exec(`DELETE FROM agent_teams WHERE agent_id = ?`, a.ID); err != nil {
		return err
	}
	for _, team := range a.Teams {
		n, err := one(t.ctx, t.s, t, plain[int], `SELECT COUNT(*) FROM teams WHERE id = ?`, team)
		if err == nil && n == 0 {
			err = fmt.Errorf("team %s: %w", team, desk.ErrInvalid)
		}
		if err == nil {
			_, err = t.exec(`INSERT INTO agent_teams (agent_id, team_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, a.ID, team)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

package ticketstore

import (
	"slices"
	"strings"

	"hearback/desk"
)

// duty is who answers which phone: agents by extension and address, teams by queue, channels' teams.
type duty struct {
	agents map[string]desk.Agent // by extension or address, lower case
	teams  map[string]desk.ID    // by queue name or number, lower case
	homes  map[desk.ID]desk.ID   // a channel's own team
}

// findDuty reads it for the batch's calls: two short tables.
func (f *filer) findDuty() error {
	f.duty = duty{agents: map[string]desk.Agent{}, teams: map[string]desk.ID{}, homes: map[desk.ID]desk.ID{}}
	agents, err := list(f.t.ctx, f.t.s, f.t, into(func(a *desk.Agent) []any {
		return []any{&a.ID, &a.Name, &a.Email, jsonInto{&a.Extensions}}
	}), `SELECT id, name, email, extensions FROM agents WHERE NOT disabled ORDER BY id DESC`)
	if err != nil {
		return err
	}
	for _, a := range agents { // of two who claim one extension the older agent has it
		for _, name := range append(a.Extensions, a.Email) {
			f.duty.agents[strings.ToLower(name)] = a
		}
	}
	teams, err := list(f.t.ctx, f.t.s, f.t, into(func(x *desk.Team) []any { return []any{&x.ID, jsonInto{&x.Queues}} }),
		`SELECT id, queues FROM teams ORDER BY id DESC`)
	if err != nil {
		return err
	}
	for _, x := range teams {
		for _, q := range x.Queues {
			f.duty.teams[strings.ToLower(q)] = x.ID
		}
	}
	homes, err := list(f.t.ctx, f.t.s, f.t, into(func(c *desk.Channel) []any { return []any{&c.ID, &c.TeamID} }), `SELECT id, team_id FROM channels`)
	for _, c := range homes {
		f.duty.homes[c.ID] = c.TeamID
	}
	if err != nil {
		return err
	}
	for _, k := range f.callOrder {
		f.duty.resolve(f.calls[k])
	}
	return nil
}

// agent finds who is called that.
func (d *duty) agent(name string) (desk.Agent, bool) {
	if name == "" {
		return desk.Agent{}, false
	}
	a, ok := d.agents[strings.ToLower(strings.TrimSpace(name))]
	return a, ok
}

// resolve names the agents and the team of a call.
func (d *duty) resolve(c *callWork) {
	is := &c.body.Call
	is.AgentID = ""
	for _, name := range append([]string{is.Agent}, is.AgentNames...) {
		if a, ok := d.agent(name); ok {
			is.AgentID = a.ID
			break
		}
	}
	c.body.Rang = nil
	for _, e := range is.Events {
		for _, name := range append(slices.Clone(e.Agents), e.To) {
			if a, ok := d.agent(name); ok && !slices.Contains(c.body.Rang, a.ID) {
				c.body.Rang = append(c.body.Rang, a.ID)
			}
		}
	}
	c.body.Agents = nil
	switch {
	case is.AgentID != "":
		c.body.Agents = []desk.ID{is.AgentID}
	case is.State == "ringing":
		names := is.Ringing
		if len(names) == 0 {
			names = []string{is.To}
		}
		for _, name := range names {
			if a, ok := d.agent(name); ok && !slices.Contains(c.body.Agents, a.ID) {
				c.body.Agents = append(c.body.Agents, a.ID)
			}
		}
	case is.State == "ended":
		c.body.Agents = c.body.Rang
	}
	c.queue, c.body.Team = "", d.homes[c.channel]
	for _, queue := range []string{is.Queue, is.To} {
		if team := d.teams[strings.ToLower(strings.TrimSpace(queue))]; team != "" && queue != "" {
			c.queue, c.body.Team = team, team
			return
		}
	}
}

// teamFor is the team a ticket of the call goes to: what a rule says, else the queue's, else the channel's.
func (d *duty) teamFor(c *callWork, planned desk.ID) desk.ID {
	if c.queue != "" && (planned == "" || planned == d.homes[c.channel]) {
		return c.queue
	}
	return planned
}

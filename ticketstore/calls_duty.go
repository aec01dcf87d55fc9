package ticketstore

import (
	"database/sql"
	"fmt"
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

// findDuty reads it for the batch's calls: three short tables at once. Of two who claim one name the older has it.
func (f *filer) findDuty() error {
	d := duty{agents: map[string]desk.Agent{}, teams: map[string]desk.ID{}, homes: map[desk.ID]desk.ID{}}
	err := f.t.each(func(row *sql.Rows) error {
		var what, name, email string
		var id desk.ID
		var names []string
		if err := row.Scan(&what, &id, &name, &email, jsonInto{&names}); err != nil {
			return err
		}
		switch what {
		case "agent":
			for _, n := range append(names, email) {
				d.agents[strings.ToLower(n)] = desk.Agent{ID: id, Name: name}
			}
		case "team":
			for _, n := range names {
				d.teams[strings.ToLower(n)] = id
			}
		default:
			d.homes[id] = name
		}
		return nil
	}, `SELECT 'agent' AS what, id, name, email, extensions AS names FROM agents WHERE NOT disabled
		UNION ALL SELECT 'team', id, '', '', queues FROM teams
		UNION ALL SELECT 'channel', id, team_id, '', NULL FROM channels ORDER BY 2 DESC`)
	f.duty = d
	if err != nil {
		return fmt.Errorf("find who answers: %w", err)
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

// talker is who took a call, by any name the call centre has for him; nobody when none of them is known.
func (d *duty) talker(is *desk.Call) desk.Agent {
	for _, name := range append([]string{is.Agent}, is.AgentNames...) {
		if a, ok := d.agent(name); ok {
			return a
		}
	}
	return desk.Agent{}
}

// resolve names the agents and the team of a call.
func (d *duty) resolve(c *callWork) {
	is := &c.body.Call
	is.AgentID = d.talker(is).ID
	c.body.Rang = nil
	for _, e := range is.Events {
		for _, name := range append(slices.Clone(e.Agents), e.To) {
			if a, ok := d.agent(name); ok && !slices.Contains(c.body.Rang, a.ID) {
				c.body.Rang = append(c.body.Rang, a.ID)
			}
		}
	}
	c.body.Agents = nil
	if is.AgentID != "" {
		c.body.Agents = []desk.ID{is.AgentID}
	}
	names := is.Ringing
	if is.State == "ringing" && len(names) == 0 {
		names = []string{is.To}
	}
	for _, name := range names {
		if a, ok := d.agent(name); ok && !slices.Contains(c.body.Agents, a.ID) {
			c.body.Agents = append(c.body.Agents, a.ID)
		}
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

package console

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

func (c *Console) registerPresence(api huma.API) {
	add(api, get("list-presence", "/api/v1/presence", auth.PeopleRead, "Who is here and how busy", huma.OperationTags("People")), c.listPresence)
}

// listPresence answers with every agent that is not disabled. Without Redis nobody is known to be online, which is not an
// error: the page says what it knows.
func (c *Console) listPresence(ctx context.Context, _ *struct{}) (*body[Page[Presence]], error) {
	all, err := c.presence(ctx)
	if err != nil {
		return nil, err
	}
	return page(all, ""), nil
}

// presence joins who exists with who the router sees.
func (c *Console) presence(ctx context.Context) ([]Presence, error) {
	agents, err := c.store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	word, err := c.store.Availabilities(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := c.router.Presence(ctx)
	if err != nil {
		c.logger.Debug("presence is not known", "err", err)
	}
	var items []Presence
	for _, a := range agents {
		if a.Disabled {
			continue
		}
		p := Presence{AgentID: a.ID, Name: a.Name, Availability: string(word[a.ID]), Capacity: capacity(a.Capacity)}
		if p.Availability == "" {
			p.Availability = "available"
		}
		if s, ok := seen[a.ID]; ok {
			p.Online, p.Used, p.OnCall = s.Online, s.Used, s.OnCall
		}
		items = append(items, p)
	}
	return items, nil
}

// capacity is what 0 stands for.
func capacity(n int) int {
	if n == 0 {
		return 10
	}
	return n
}

// setAvailability keeps an agent's word and tells the board. The row counts; without Redis the board learns it later.
func (c *Console) setAvailability(ctx context.Context, agent desk.ID, word desk.Availability) error {
	if err := c.store.SetAvailability(ctx, agent, word); err != nil {
		return err
	}
	if err := c.router.SetAvailability(ctx, agent, word); err != nil {
		c.logger.Warn("the load board was not told; the reconciler will", "err", err)
	}
	c.publish(ctx, []desk.Event{{Type: "presence", Data: map[string]string{"agent_id": agent, "availability": string(word)}}})
	return nil
}

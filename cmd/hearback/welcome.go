package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"hearback/connectors/fleet"
	"hearback/desk"
)

const (
	firstEmail = "admin@hearback.local"
	demoSales  = "售后 After-sales"
)

// welcome makes the first administrator, and the demo when asked for; on every later start it only finds the demo's channel.
func (h *house) welcome(ctx context.Context) error {
	password, made, err := h.auth.FirstAdmin(ctx, firstEmail, "Admin")
	if err != nil {
		return err
	}
	if made {
		h.first = firstLogin{firstEmail, password}
		debug.FreeOSMemory() // hashing a password takes 19 MB once; an idle gateway should not keep them
	}
	if !h.config.Demo {
		return nil
	}
	if h.demo, err = h.demoChannel(ctx); err != nil || h.demo != "" {
		return err
	}
	if err := h.furnishDemo(ctx); err != nil {
		return fmt.Errorf("make the demo: %w", err)
	}
	return nil
}

// demoChannel finds the demo shop's channel, "" when there is none.
func (h *house) demoChannel(ctx context.Context) (desk.ID, error) {
	channels, err := h.store.Channels(ctx)
	if err != nil {
		return "", err
	}
	for _, ch := range channels {
		if ch.Settings["demo"] == "true" && ch.Enabled {
			return ch.ID, nil
		}
	}
	return "", nil
}

// furnishDemo adds what a visitor of the demo needs: two teams with the first administrator in both, three rules, a chat.
func (h *house) furnishDemo(ctx context.Context) error {
	sales, err := h.store.SaveTeam(ctx, desk.Team{Name: demoSales})
	if err != nil {
		return err
	}
	finance, err := h.store.SaveTeam(ctx, desk.Team{Name: "财务 Finance"})
	if err != nil {
		return err
	}
	for i, r := range []desk.Rule{
		{Name: "退款 Refunds", Any: []string{"退款", "退钱", "退费", "refund", "money back"}, TeamID: finance.ID, Priority: desk.PriorityUrgent, Tags: []string{"退款"}},
		{Name: "投诉 Complaints", Any: []string{"投诉", "12315", "曝光", "complaint", "lawyer"}, TeamID: sales.ID, Priority: desk.PriorityCritical, Tags: []string{"投诉"}},
		{Name: "物流 Delivery", Any: []string{"物流", "快递", "发货", "没收到", "shipping", "delivery", "parcel"}, TeamID: sales.ID, Tags: []string{"物流"}},
	} {
		r.Position, r.Enabled = i+1, true
		if _, err := h.store.SaveRule(ctx, r); err != nil {
			return err
		}
	}
	if admin, _, _, err := h.store.AgentByEmail(ctx, firstEmail); err == nil {
		admin.Teams = []desk.ID{sales.ID, finance.ID}
		if _, err := h.store.UpdateAgent(ctx, admin); err != nil {
			return err
		}
	}
	return h.furnishDemoChat(ctx, sales.ID)
}

func (h *house) furnishDemoChat(ctx context.Context, team desk.ID) error {
	for _, kind := range kinds {
		if kind.Demo == nil {
			continue
		}
		settings, _ := fleet.Complete(kind, kind.Demo, true)
		ch, err := h.store.SaveChannel(ctx, desk.Channel{Kind: kind.Name, Name: "回音小店 Demo shop", Enabled: true, TeamID: team, Settings: settings}, secretFields(kind))
		if err != nil {
			return err
		}
		h.demo = ch.ID
	}
	return nil
}

func (h *house) demoURL() string {
	if h.demo == "" {
		return ""
	}
	return h.baseURL() + "/demo"
}

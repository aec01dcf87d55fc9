package console

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// maxRoutes bounds what a composer offers.
const maxRoutes = 40

// A way is a route with what sending by it needs.
type way struct {
	Route
	by ticketstore.Route
}

// window is how long and how often a conversation may still be written to.
type window struct {
	closes    desk.Time
	remaining int
	reason    string
}

var always = window{remaining: -1}

func windowOf(t desk.Ticket) window {
	return window{t.WindowClosesAt, t.WindowRemaining, t.WindowReason}
}

// shut says why a conversation takes no message, "" when it does.
func (w window) shut(now desk.Time) (code, why string) {
	switch {
	case w.reason != "":
		return "unreachable", "The customer cannot be reached here any more (" + w.reason + ")."
	case w.closes != 0 && w.closes <= now:
		return "window_closed", "The time in which this channel lets us write is over: the customer must write first."
	case w.remaining == 0:
		return "quota_used", "All messages this channel allows after a customer's message are used: the customer must write first."
	}
	return "", ""
}

// ways are all routes of a ticket: its own first, then those by the contact's other proven addresses.
func (c *Console) ways(ctx context.Context, t desk.Ticket) ([]way, error) {
	contact, err := c.store.Contact(ctx, t.ContactID)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return nil, err
	}
	all := c.ownWays(t, contact)
	for _, ch := range c.fleet.Channels() {
		if ch.ID == t.ChannelID {
			continue
		}
		more, err := c.otherWays(ctx, ch, contact)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all[:min(len(all), maxRoutes)], nil
}

// ownWays are a message in the conversation the ticket came by, and what its channel does beside.
func (c *Console) ownWays(t desk.Ticket, contact desk.Contact) []way {
	open, ch, isOpen := c.fleet.Get(t.ChannelID)
	if !isOpen {
		return []way{{Route: Route{
			Channel: c.names.channel(t.ChannelID, t.ChannelKind), Own: true, Title: textTitle(t.ChannelKind), Remaining: -1,
			WhyCode: "channel_closed", Why: "The channel is switched off.", Capabilities: *wireCapabilities(connectors.Capabilities{}),
		}}}
	}
	able := open.Capabilities()
	kind, _ := c.fleet.Kind(ch.Kind)
	own, known := conversation(kind, ch, t)
	var by ticketstore.Route // of what is no message, when this conversation has no address (an anonymous call) but the customer has
	for _, i := range contact.Identities {
		if known {
			break
		}
		if sender, ok := kind.Reach(ch, i); ok {
			by, known = ticketstore.Route{ChannelID: ch.ID, Sender: sender, To: reached(i, sender)}, true
		}
	}
	var all []way
	if !able.NoText {
		all = append(all, c.way(ch, kind, able, windowOf(t), connectors.Means{}, ticketstore.Route{}, true))
	}
	for _, m := range able.Means {
		by.Means = m.Name
		all = append(all, c.way(ch, kind, able, windowOf(t), m, by, true))
	}
	for i := range all {
		if all[i].To == "" {
			all[i].To = maskAddress(own.Type, own.Value)
		}
		if !known {
			all[i].Open, all[i].WhyCode, all[i].Why = false, "no_address", "No address of the customer is known that this channel could write to."
		}
	}
	return all
}

// conversation is the address the ticket's conversation is called by, on channels that name conversations so. known is true for all
// others: there the customer is whoever wrote.
func conversation(kind connectors.Kind, ch desk.Channel, t desk.Ticket) (address desk.Identity, known bool) {
	if kind.Reach == nil {
		return address, true
	}
	for _, sample := range samples {
		address = desk.Identity{Type: sample.Type, Value: t.Sender}
		if sender, ok := kind.Reach(ch, address); ok && sender == t.Sender {
			return address, true
		}
	}
	return desk.Identity{}, false
}

// otherWays are those of one other channel, for every proven address of the contact that it may write to.
func (c *Console) otherWays(ctx context.Context, ch desk.Channel, contact desk.Contact) ([]way, error) {
	kind, ok := c.fleet.Kind(ch.Kind)
	open, _, isOpen := c.fleet.Get(ch.ID)
	if !ok || !isOpen || kind.Reach == nil {
		return nil, nil
	}
	able := open.Capabilities()
	var all []way
	for _, to := range contact.Identities {
		sender, ok := kind.Reach(ch, to)
		if !to.Verified || !ok {
			continue
		}
		limits, err := c.windowThere(ctx, ch.ID, sender, able)
		if err != nil {
			return nil, err
		}
		by := ticketstore.Route{ChannelID: ch.ID, Sender: sender, To: reached(to, sender)}
		if !able.NoText {
			all = append(all, c.way(ch, kind, able, limits, connectors.Means{}, by, false))
		}
		for _, m := range able.Means {
			by.Means = m.Name
			all = append(all, c.way(ch, kind, able, limits, m, by, false))
		}
	}
	return all, nil
}

// windowThere is the window of another conversation. A channel with windows that nobody wrote to yet is shut.
func (c *Console) windowThere(ctx context.Context, channel desk.ID, sender string, able connectors.Capabilities) (window, error) {
	t, err := c.store.SenderTicket(ctx, channel, sender)
	switch {
	case err == nil:
		return windowOf(t), nil
	case !errors.Is(err, desk.ErrNotFound):
		return window{}, err
	case able.ReplyWindow > 0:
		return window{closes: 1, remaining: -1}, nil
	}
	return always, nil
}

func (c *Console) way(ch desk.Channel, kind connectors.Kind, able connectors.Capabilities, limits window, m connectors.Means, by ticketstore.Route, own bool) way {
	w := way{by: by, Route: Route{
		ID: routeID(by), Channel: ChannelRef{ID: ch.ID, Kind: ch.Kind, Name: ch.Name}, Means: m.Name, Title: m.Title, Own: own, Open: true,
		To: maskAddress(by.To.Type, by.To.Value), WindowClosesAt: limits.closes, Remaining: limits.remaining, Capabilities: *wireCapabilities(able),
	}}
	if m.Name == "" {
		w.Title = kindTitle(kind)
	}
	if code, why := limits.shut(desk.At(c.now())); code != "" && (!m.AfterWindow || code == "unreachable") {
		w.Open, w.WhyCode, w.Why = false, code, why
	}
	return w
}

// routeID names a route by what it is, so that nothing has to be remembered. The ticket's own message is "".
func routeID(by ticketstore.Route) string {
	if by == (ticketstore.Route{}) {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{by.ChannelID, by.Sender, by.To.Type, by.To.Value, by.To.Scope, by.Means}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func kindTitle(k connectors.Kind) connectors.Text { return k.Title }

func textTitle(kind string) connectors.Text { return connectors.Text{Zh: kind, En: kind} }

// routes are the ways as the page gets them.
func routes(all []way) []Route {
	out := make([]Route, 0, len(all))
	for _, w := range all {
		out = append(out, w.Route)
	}
	return out
}

// chosen is the way a reply takes. One that is shut is refused before it is tried, with the ways that are open.
func (c *Console) chosen(ctx context.Context, t desk.Ticket, id string) (way, connectors.Capabilities, error) {
	if id == "" {
		if w, able, ok := c.ownText(t); ok {
			return w, able, nil
		}
	}
	all, err := c.ways(ctx, t)
	if err != nil {
		return way{}, connectors.Capabilities{}, err
	}
	i := slices.IndexFunc(all, func(w way) bool { return w.ID == id })
	switch {
	case i < 0 && id == "":
		return way{}, connectors.Capabilities{}, refused("route_closed", "This channel sends no written messages. Choose another way.", all)
	case i < 0:
		return way{}, connectors.Capabilities{}, refused("route_closed", "This way is not there any more. Choose another.", all)
	case !all[i].Open && id == "" && all[i].WhyCode == "channel_closed":
		return all[i], connectors.Capabilities{}, nil // the reply waits until the channel is open again
	case !all[i].Open:
		return way{}, connectors.Capabilities{}, refused(problemOf(all[i].WhyCode), all[i].Why, all)
	}
	open, _, _ := c.fleet.Get(all[i].Channel.ID)
	return all[i], open.Capabilities(), nil
}

// ownText is the usual case, which needs no question to the store: a message by the ticket's own channel, which takes it.
func (c *Console) ownText(t desk.Ticket) (way, connectors.Capabilities, bool) {
	open, ch, isOpen := c.fleet.Get(t.ChannelID)
	if !isOpen {
		return way{}, connectors.Capabilities{}, false
	}
	able := open.Capabilities()
	kind, _ := c.fleet.Kind(ch.Kind)
	w := c.way(ch, kind, able, windowOf(t), connectors.Means{}, ticketstore.Route{}, true)
	_, known := conversation(kind, ch, t)
	return w, able, w.Open && known && !able.NoText
}

func problemOf(whyCode string) string {
	if whyCode == "window_closed" || whyCode == "quota_used" {
		return whyCode
	}
	return "route_closed"
}

// refused is a 409 that names the ways still open.
func refused(code, why string, all []way) *Problem {
	p := problem(http.StatusConflict, code, why)
	p.Routes = []Route{}
	for _, w := range all {
		if w.Open {
			p.Routes = append(p.Routes, w.Route)
		}
	}
	return p
}

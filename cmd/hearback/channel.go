package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hearback/configs"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/ticketstore"
)

type channelCmd struct {
	Add     channelAdd    `cmd:"" help:"Add a channel and print its address."`
	List    channelList   `cmd:"" help:"List channels."`
	Show    channelShow   `cmd:"" help:"Show one channel without its secrets."`
	Test    channelTest   `cmd:"" help:"Try a channel's settings against its provider."`
	Enable  channelSwitch `cmd:"" help:"Switch a channel on."`
	Disable channelSwitch `cmd:"" help:"Switch a channel off; what is under way is kept."`
}

type channelAdd struct {
	Kind    string            `help:"Type of channel." required:""`
	Name    string            `help:"Name agents see." required:""`
	Team    string            `help:"Team whose queue takes what no rule sends elsewhere (name or id)."`
	Set     map[string]string `help:"A setting, key=value; may be repeated." mapsep:"none"`
	SetFile map[string]string `help:"A setting read from a file, key=PATH (- is standard input); for secrets." mapsep:"none"`
}

// A channelView is a channel as the command line shows it: without secrets.
type channelView struct {
	ID       desk.ID           `json:"id"`
	Kind     string            `json:"kind"`
	Name     string            `json:"name"`
	Enabled  bool              `json:"enabled"`
	URL      string            `json:"url"`
	Embed    string            `json:"embed,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	Made     map[string]string `json:"made,omitempty"` // secrets made for this channel, shown this once
}

// Run checks the settings as the admin page does and stores the channel.
func (a *channelAdd) Run(g *globals) error {
	kind, ok := kindNamed(a.Kind)
	if !ok {
		return usagef("there is no channel kind %q; there are: %s", a.Kind, kindNames())
	}
	settings, err := a.settings()
	if err != nil {
		return err
	}
	settings, made := fleet.Complete(kind, settings, true)
	if err := problems(fleet.Validate(kind, settings)); err != nil {
		return err
	}
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		team, err := teamNamed(ctx, s, a.Team)
		if err != nil {
			return err
		}
		ch, err := s.SaveChannel(ctx, desk.Channel{Kind: a.Kind, Name: a.Name, Enabled: true, TeamID: team, Settings: settings}, secretFields(kind))
		if err != nil {
			return err
		}
		v := viewChannel(c, kind, ch)
		v.Made = made
		printJSON(v)
		return nil
	})
}

func (a *channelAdd) settings() (map[string]string, error) {
	out := map[string]string{}
	for k, v := range a.Set {
		out[k] = v
	}
	for k, path := range a.SetFile {
		if path == "-" {
			path = "/dev/stdin"
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", k, err)
		}
		out[k] = strings.TrimRight(string(b), "\r\n")
	}
	return out, nil
}

// problems puts all that is wrong with settings into one error.
func problems(all []connectors.Problem) error {
	var lines []string
	for _, p := range all {
		lines = append(lines, p.Field+": "+p.Text.En)
	}
	if len(lines) == 0 {
		return nil
	}
	return usagef("%s", strings.Join(lines, "; "))
}

func kindNames() string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

func secretFields(k connectors.Kind) (out []string) {
	for _, f := range k.Fields {
		if f.Secret {
			out = append(out, f.Name)
		}
	}
	return out
}

func viewChannel(c configs.Config, kind connectors.Kind, ch desk.Channel) channelView {
	v := channelView{ID: ch.ID, Kind: ch.Kind, Name: ch.Name, Enabled: ch.Enabled, URL: publicURL(c) + "/c/" + ch.ID, Settings: map[string]string{}}
	for _, f := range kind.Fields {
		if value := ch.Settings[f.Name]; value != "" && !f.Secret {
			v.Settings[f.Name] = value
		} else if f.Secret && value != "" {
			v.Settings[f.Name] = "••••" + value[max(0, len(value)-4):]
		}
	}
	if kind.Embed != nil {
		v.Embed = kind.Embed(publicURL(c), ch)
	}
	return v
}

type channelList struct{}

// Run lists all channels.
func (channelList) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		all, err := s.Channels(ctx)
		if err != nil {
			return err
		}
		views, text := []channelView{}, []string{}
		for _, ch := range all {
			kind, _ := kindNamed(ch.Kind)
			v := viewChannel(c, kind, ch)
			views = append(views, v)
			text = append(text, fmt.Sprintf("%s  %-10s %-8s %s  %s", v.ID, v.Kind, map[bool]string{true: "on", false: "off"}[v.Enabled], v.Name, v.URL))
		}
		g.show(views, strings.Join(text, "\n"))
		return nil
	})
}

type channelShow struct {
	ID string `arg:"" help:"Channel id."`
}

// Run prints one channel.
func (a *channelShow) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		ch, err := s.Channel(ctx, a.ID)
		if err != nil {
			return noChannel(a.ID, err)
		}
		kind, _ := kindNamed(ch.Kind)
		printJSON(viewChannel(c, kind, ch))
		return nil
	})
}

func noChannel(id desk.ID, err error) error {
	if errors.Is(err, desk.ErrNotFound) {
		return fmt.Errorf("there is no channel %s; hearback channel list shows them", id)
	}
	return err
}

type channelTest struct {
	ID string `arg:"" help:"Channel id."`
}

// Run tries the provider.
func (a *channelTest) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		ch, err := s.Channel(ctx, a.ID)
		if err != nil {
			return noChannel(a.ID, err)
		}
		f := fleet.New(fleet.Options{Kinds: kinds, Store: s, Logger: newLogger(c), PublicURL: publicURL(c), AllowPrivateNetworks: c.AllowPrivateNetworks})
		defer f.Close()
		if err := f.Test(ctx, ch); err != nil {
			return err
		}
		g.show(map[string]bool{"ok": true}, "The channel works.")
		return nil
	})
}

// channelSwitch is enable and disable; kong tells which by the command's path.
type channelSwitch struct {
	ID string `arg:"" help:"Channel id."`
}

// Run switches.
func (a *channelSwitch) Run(g *globals, command commandName) error {
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		ch, err := s.Channel(ctx, a.ID)
		if err != nil {
			return noChannel(a.ID, err)
		}
		ch.Enabled = strings.HasPrefix(string(command), "channel enable")
		kind, _ := kindNamed(ch.Kind)
		if ch, err = s.SaveChannel(ctx, ch, secretFields(kind)); err != nil {
			return err
		}
		g.show(viewChannel(c, kind, ch), ch.Name+" is "+map[bool]string{true: "on", false: "off"}[ch.Enabled]+".")
		return nil
	})
}

// teamNamed finds a team by name or id; "" is no team.
func teamNamed(ctx context.Context, s *ticketstore.Store, name string) (desk.ID, error) {
	if name == "" {
		return "", nil
	}
	teams, err := s.Teams(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, t := range teams {
		if t.ID == name || strings.EqualFold(t.Name, name) {
			return t.ID, nil
		}
		names = append(names, t.Name)
	}
	return "", fmt.Errorf("there is no team %q; there are: %s", name, strings.Join(names, ", "))
}

package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/ticketstore"
)

// A Kind is a type of channel with the form it needs.
type Kind struct {
	Name   string             `json:"name"`
	Title  connectors.Text    `json:"title"`
	Fields []connectors.Field `json:"fields"`
	Try    bool               `json:"try" doc:"A pasted request can be tried: POST /api/v1/kinds/{kind}/try."`
	Login  bool               `json:"consent" doc:"An admin may log in at the provider instead of typing credentials: POST /api/v1/channels/{id}/consent."`
	Mount  string             `json:"mount" doc:"Prefix of the second public address of its channels, followed by a secret token; empty: none."`
}

// A Channel is one mailbox, account, widget or number as admins see it.
type Channel struct {
	ID        desk.ID           `json:"id"`
	Kind      string            `json:"kind"`
	Name      string            `json:"name"`
	Enabled   bool              `json:"enabled"`
	TeamID    string            `json:"team_id" doc:"Where tickets go that no rule sends elsewhere; empty: the common queue."`
	Settings  map[string]string `json:"settings" doc:"Without secrets."`
	Secrets   map[string]string `json:"secrets" doc:"Field to its last four characters behind dots. Write-only: send a new value in settings."`
	Made      map[string]string `json:"made,omitempty" doc:"Secrets the desk made by itself. Shown this once."`
	URL       string            `json:"url" doc:"The channel's public address."`
	Mount     string            `json:"mount" doc:"Its second public address, the token masked unless it was made just now; empty: none."`
	Embed     string            `json:"embed" doc:"HTML for one's own page; empty when the kind has none."`
	Health    Health            `json:"health"`
	Version   int64             `json:"version"`
	CreatedAt desk.Time         `json:"created_at" nullable:"false"`
	UpdatedAt desk.Time         `json:"updated_at" nullable:"false"`
}

// Health is a channel's light.
type Health struct {
	State         string    `json:"state" enum:"ok,warning,error,off"`
	LastSuccessAt desk.Time `json:"last_success_at"`
	LastFailureAt desk.Time `json:"last_failure_at"`
	LastError     string    `json:"last_error"`
	Held          bool      `json:"held" doc:"The provider refused the credentials: replies wait until they are mended."`
	Waiting       int       `json:"waiting" doc:"Replies on their way or held."`
}

type createChannel struct {
	Body struct {
		Kind     string            `json:"kind" minLength:"1" maxLength:"50"`
		Name     string            `json:"name" minLength:"1" maxLength:"100"`
		Enabled  *bool             `json:"enabled,omitempty" doc:"true when absent."`
		TeamID   string            `json:"team_id,omitempty"`
		Settings map[string]string `json:"settings,omitempty" doc:"Plain settings and secrets together."`
	}
}

type changeChannel struct {
	ID   string `path:"id"`
	Body struct {
		Name     *string           `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Enabled  *bool             `json:"enabled,omitempty"`
		TeamID   *string           `json:"team_id,omitempty"`
		Settings map[string]string `json:"settings,omitempty" doc:"Only what changes. An empty secret keeps the stored one."`
		Version  int64             `json:"version,omitempty" doc:"Of the channel as it was read: refused with conflict when somebody changed it meanwhile."`
	}
}

// A Tested is what trying a channel's settings against its provider gave.
type Tested struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail" doc:"What is wrong and how to mend it."`
}

func (a *Admin) registerChannels(api huma.API) {
	const g = "Channels"
	add(api, g, auth.ChannelsRead, http.MethodGet, "/api/v1/kinds", "list-kinds", "Kinds of channels and their forms", a.listKinds)
	add(api, g, auth.ChannelsRead, http.MethodGet, "/api/v1/channels", "list-channels", "List channels", a.listChannels)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/channels", "create-channel", "Add a channel", a.createChannel)
	add(api, g, auth.ChannelsRead, http.MethodGet, "/api/v1/channels/{id}", "get-channel", "One channel", a.getChannel)
	add(api, g, auth.ChannelsWrite, http.MethodPatch, "/api/v1/channels/{id}", "change-channel", "Change a channel", a.changeChannel)
	a.registerLive(api, g)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/channels/{id}/test", "test-channel", "Try the settings against the provider", a.testChannel)
}

func (a *Admin) listKinds(context.Context, *struct{}) (*body[List[Kind]], error) {
	var all []Kind
	for _, k := range a.o.Fleet.Kinds() {
		fields := k.Fields
		if fields == nil {
			fields = []connectors.Field{}
		}
		all = append(all, Kind{Name: k.Name, Title: k.Title, Fields: fields, Try: k.Try != nil, Login: k.Consent != nil, Mount: mountPrefix(k)})
	}
	return items(all, ""), nil
}

func (a *Admin) listChannels(ctx context.Context, _ *struct{}) (*body[List[Channel]], error) {
	channels, err := a.store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	health, err := a.store.HealthAll(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Channel, 0, len(channels))
	for _, ch := range channels {
		secrets, err := a.store.ChannelSecrets(ctx, ch.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, a.wireChannel(ch, secrets, health[ch.ID]))
	}
	return items(all, ""), nil
}

func (a *Admin) getChannel(ctx context.Context, in *byID) (*body[Channel], error) {
	ch, err := a.store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.answerChannel(ctx, ch, nil)
}

func (a *Admin) answerChannel(ctx context.Context, ch desk.Channel, made map[string]string) (*body[Channel], error) {
	secrets, err := a.store.ChannelSecrets(ctx, ch.ID)
	if err != nil {
		return nil, err
	}
	health, err := a.store.Health(ctx, ch.ID)
	if err != nil {
		return nil, err
	}
	w := a.wireChannel(ch, secrets, health)
	w.Made = made
	if kind, _ := a.o.Fleet.Kind(ch.Kind); kind.Mount != nil && made[kind.Mount.Field] != "" {
		w.Mount = a.o.PublicURL + kind.Mount.Prefix + made[kind.Mount.Field]
	}
	return &body[Channel]{w}, nil
}

// wireChannel leaves every secret out: what is not declared as plain by the kind is not shown.
func (a *Admin) wireChannel(ch desk.Channel, secrets []ticketstore.SecretStatus, h ticketstore.ChannelHealth) Channel {
	w := Channel{
		ID: ch.ID, Kind: ch.Kind, Name: ch.Name, Enabled: ch.Enabled, TeamID: ch.TeamID,
		Settings: map[string]string{}, Secrets: map[string]string{}, URL: a.o.PublicURL + "/c/" + ch.ID,
		Health: Health{
			State: fleet.Light(ch.Enabled, h), LastSuccessAt: h.LastSuccessAt, LastFailureAt: h.LastFailureAt,
			LastError: h.LastError, Held: h.Held, Waiting: h.Waiting,
		},
		Version: ch.Version, CreatedAt: ch.CreatedAt, UpdatedAt: ch.UpdatedAt,
	}
	kind, _ := a.o.Fleet.Kind(ch.Kind)
	for _, f := range kind.Fields {
		if value, ok := ch.Settings[f.Name]; ok && !f.Secret {
			w.Settings[f.Name] = value
		}
	}
	for _, s := range secrets {
		w.Secrets[s.Field] = "••••" + s.LastFour
	}
	if kind.Mount != nil && w.Secrets[kind.Mount.Field] != "" {
		w.Mount = a.o.PublicURL + kind.Mount.Prefix + w.Secrets[kind.Mount.Field]
	}
	if kind.Embed != nil {
		w.Embed = kind.Embed(a.o.PublicURL, ch)
	}
	return w
}

func (a *Admin) createChannel(ctx context.Context, in *createChannel) (*body[Channel], error) {
	b := in.Body
	kind, ok := a.o.Fleet.Kind(b.Kind)
	if !ok {
		return nil, wrong("body.kind", "There is no such kind. GET /api/v1/kinds lists them.")
	}
	if err := a.checkTeam(ctx, b.TeamID); err != nil {
		return nil, err
	}
	settings, made := fleet.Complete(kind, b.Settings, true)
	if err := judged(kind, settings); err != nil {
		return nil, err
	}
	ch, err := a.store.SaveChannel(ctx, desk.Channel{
		Kind: b.Kind, Name: b.Name, Enabled: b.Enabled == nil || *b.Enabled, TeamID: b.TeamID, Settings: settings,
	}, secretFields(kind))
	if err != nil {
		return nil, err
	}
	a.changed(ctx, "channel", "channel.created", ch.ID, ChannelAudit{Kind: ch.Kind, Name: ch.Name, Fields: keys(b.Settings)})
	return a.answerChannel(ctx, ch, made)
}

// A ChannelAudit says which fields were set, never to what.
type ChannelAudit struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Enabled *bool    `json:"enabled,omitempty"`
	Fields  []string `json:"fields"`
}

func (a *Admin) changeChannel(ctx context.Context, in *changeChannel) (*body[Channel], error) {
	ch, err := a.store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	kind, ok := a.o.Fleet.Kind(ch.Kind)
	if !ok {
		return nil, wrong("body.kind", "This build has no such kind of channel.")
	}
	b := in.Body
	if b.TeamID != nil {
		if err := a.checkTeam(ctx, *b.TeamID); err != nil {
			return nil, err
		}
		ch.TeamID = *b.TeamID
	}
	if b.Name != nil {
		ch.Name = *b.Name
	}
	if b.Enabled != nil {
		ch.Enabled = *b.Enabled
	}
	ch.Version = b.Version
	secret := secretFields(kind)
	ch.Settings = overlay(ch.Settings, b.Settings, secret)
	if err := judged(kind, ch.Settings); err != nil {
		return nil, err
	}
	if ch, err = a.store.SaveChannel(ctx, ch, secret); err != nil {
		return nil, err
	}
	a.changed(ctx, "channel", "channel.changed", ch.ID, ChannelAudit{Kind: ch.Kind, Name: ch.Name, Enabled: b.Enabled, Fields: keys(b.Settings)})
	return a.answerChannel(ctx, ch, nil)
}

// checkTeam accepts none.
func (a *Admin) checkTeam(ctx context.Context, id desk.ID) error {
	if id == "" {
		return nil
	}
	if _, err := a.store.Team(ctx, id); err != nil {
		return wrong("body.team_id", "There is no such team.")
	}
	return nil
}

// judged answers every problem of the settings at once, each with its field.
func judged(kind connectors.Kind, settings map[string]string) error {
	problems := fleet.Validate(kind, settings)
	if len(problems) == 0 {
		return nil
	}
	errs := make([]error, 0, len(problems))
	for _, p := range problems {
		errs = append(errs, &huma.ErrorDetail{Location: "body.settings." + p.Field, Message: p.Text.En + " " + p.Text.Zh})
	}
	return huma.Error422UnprocessableEntity(problems[0].Text.En+" "+problems[0].Text.Zh, errs...)
}

func secretFields(kind connectors.Kind) []string {
	var names []string
	for _, f := range kind.Fields {
		if f.Secret {
			names = append(names, f.Name)
		}
	}
	return names
}

// testChannel tries the stored settings. A refusal is an answer, not an error.
func (a *Admin) testChannel(ctx context.Context, in *byID) (*body[Tested], error) {
	ch, err := a.store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.o.Fleet.Test(ctx, ch); err != nil {
		return &body[Tested]{Tested{OK: false, Detail: a.withoutSecrets(ch, err.Error())}}, nil
	}
	return &body[Tested]{Tested{OK: true, Detail: "The provider took the settings."}}, nil
}

func mountPrefix(k connectors.Kind) string {
	if k.Mount == nil {
		return ""
	}
	return k.Mount.Prefix
}

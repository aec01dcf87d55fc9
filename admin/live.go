package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/connectors"
	"hearback/desk"
)

// A Note is one line of a channel's live log: what came in and what became of it.
type Note struct {
	At      desk.Time      `json:"at" nullable:"false"`
	What    string         `json:"what" doc:"newCall, verification, text, sync, …"`
	Ref     string         `json:"ref" doc:"The provider's id of it."`
	Status  int            `json:"status" doc:"HTTP status answered; 0: none."`
	Refused bool           `json:"refused" doc:"Nothing was changed."`
	Detail  string         `json:"detail" doc:"Why it was refused."`
	Remote  string         `json:"remote" doc:"Address it came from."`
	Outcome string         `json:"outcome" doc:"As in the ledger; empty: nothing was filed, or not yet."`
	Ticket  *ArrivalTicket `json:"ticket"`
}

// TransformSchema says that a note may have no ticket.
func (Note) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	p := s.Properties["ticket"]
	s.Properties["ticket"] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	return s
}

// A Sample is one request of a provider, pasted by an admin.
type Sample struct {
	Settings map[string]string `json:"settings,omitempty" maxProperties:"100" doc:"Of the channel as it would be; defaults are filled in."`
	Method   string            `json:"method,omitempty" enum:"GET,POST,PUT" default:"POST"`
	Query    string            `json:"query,omitempty" maxLength:"20000" doc:"What stands behind the question mark."`
	Headers  map[string]string `json:"headers,omitempty" maxProperties:"100"`
	Body     string            `json:"body,omitempty" maxLength:"262144"`
}

// A Trial is what a sample becomes.
type Trial struct {
	Call     *TrialCall        `json:"call" doc:"All events of the sample as one call; null when it tells of none."`
	Messages []TrialMessage    `json:"messages"`
	Answer   connectors.Answer `json:"answer" doc:"What the provider would be told."`
	Problems []SettingProblem  `json:"problems" doc:"Why it cannot be read, or what was left out."`
}

// TransformSchema says that a trial may have no call.
func (Trial) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	p := s.Properties["call"]
	s.Properties["call"] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
	return s
}

// A TrialCall is a call as it would be shown.
type TrialCall struct {
	ID          string    `json:"id"`
	State       string    `json:"state"`
	Direction   string    `json:"direction"`
	From        string    `json:"from"`
	To          string    `json:"to"`
	FromName    string    `json:"from_name"`
	Queue       string    `json:"queue"`
	Ringing     []string  `json:"ringing"`
	Agent       string    `json:"agent"`
	Outcome     string    `json:"outcome"`
	Cause       string    `json:"cause"`
	HangupBy    string    `json:"hangup_by"`
	StartedAt   desk.Time `json:"started_at"`
	AnsweredAt  desk.Time `json:"answered_at"`
	EndedAt     desk.Time `json:"ended_at"`
	RingSeconds int       `json:"ring_seconds"`
	TalkSeconds int       `json:"talk_seconds"`
	Recordings  int       `json:"recordings"`
	Rating      int       `json:"rating"`
}

// A SettingProblem is something wrong, told so that an admin can mend it.
type SettingProblem struct {
	Field string          `json:"field"`
	Text  connectors.Text `json:"text"`
}

// A TrialMessage is a message as it would be filed.
type TrialMessage struct {
	From        string   `json:"from"`
	Name        string   `json:"name"`
	Text        string   `json:"text"`
	Attachments []string `json:"attachments" doc:"Names, or types where there is none."`
}

// A Consent is where the admin logs in at the provider.
type Consent struct {
	URL string `json:"url"`
}

type tryKind struct {
	Kind string `path:"kind"`
	Body Sample
}

type consentAnswer struct {
	Code             string `query:"code" maxLength:"4096"`
	State            string `query:"state" maxLength:"4096"`
	Error            string `query:"error" maxLength:"200"`
	ErrorDescription string `query:"error_description" maxLength:"2000"`
}

type redirect struct {
	Status   int
	Location string `header:"Location"`
}

func (a *Admin) registerLive(api huma.API, g string) {
	add(api, g, auth.ChannelsWrite, http.MethodGet, "/api/v1/channels/{id}/log", "get-channel-log", "The last 100 things that came in, newest first, refused ones too", a.channelLog)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/kinds/{kind}/try", "try-kind", "See what a provider's request would become, changing nothing", a.tryKind)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/channels/{id}/consent", "begin-consent", "Where to log in at the provider", a.beginConsent)
	add(api, g, auth.ChannelsWrite, http.MethodGet, "/api/v1/oauth/callback", "end-consent", "Where the provider sends the admin's browser back to", a.endConsent)
}

func (a *Admin) channelLog(ctx context.Context, in *byID) (*body[List[Note]], error) {
	return items[Note](nil, ""), nil
}

func (a *Admin) tryKind(ctx context.Context, in *tryKind) (*body[Trial], error) {
	return nil, huma.Error501NotImplemented("This is not there yet.")
}

func (a *Admin) beginConsent(ctx context.Context, in *byID) (*body[Consent], error) {
	return nil, huma.Error501NotImplemented("This is not there yet.")
}

func (a *Admin) endConsent(ctx context.Context, in *consentAnswer) (*redirect, error) {
	return nil, huma.Error501NotImplemented("This is not there yet.")
}

package admin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

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

type tryKind struct {
	Kind string `path:"kind"`
	Body Sample
}

func (a *Admin) registerLive(api huma.API, g string) {
	add(api, g, auth.ChannelsWrite, http.MethodGet, "/api/v1/channels/{id}/log", "get-channel-log", "The last 100 things that came in, newest first, refused ones too", a.channelLog)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/kinds/{kind}/try", "try-kind", "See what a provider's request would become, changing nothing", a.tryKind)
	add(api, g, auth.ChannelsWrite, http.MethodPost, "/api/v1/channels/{id}/consent", "begin-consent", "Where to log in at the provider", a.beginConsent)
	add(api, g, auth.ChannelsWrite, http.MethodGet, "/api/v1/oauth/callback", "end-consent", "Where the provider sends the admin's browser back to", a.endConsent)
}

// channelLog joins what came in with what became of it.
func (a *Admin) channelLog(ctx context.Context, in *byID) (*body[List[Note]], error) {
	if _, err := a.store.Channel(ctx, in.ID); err != nil {
		return nil, err
	}
	notes, err := a.o.Fleet.Log(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var ids []desk.ID
	for _, n := range notes {
		if n.Envelope != "" {
			ids = append(ids, n.Envelope)
		}
	}
	entries, err := a.store.LedgerByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	numbers := map[desk.ID]string{}
	all := make([]Note, 0, len(notes))
	for _, n := range notes {
		w := Note{At: n.At, What: n.What, Ref: n.Ref, Status: n.Status, Refused: n.Refused, Detail: n.Detail, Remote: n.Remote}
		e := entries[n.Envelope]
		w.Outcome = string(e.Outcome)
		if w.Ticket, err = a.ticketOf(ctx, e.TicketID, numbers); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return items(all, ""), nil
}

// ticketOf names a ticket, each read once.
func (a *Admin) ticketOf(ctx context.Context, id desk.ID, numbers map[desk.ID]string) (*ArrivalTicket, error) {
	if id == "" {
		return nil, nil
	}
	if _, known := numbers[id]; !known {
		t, err := a.store.Ticket(ctx, id)
		if err != nil {
			return nil, err
		}
		numbers[id] = t.Number
	}
	return &ArrivalTicket{ID: id, Number: numbers[id]}, nil
}

// tryKind shows an admin what his provider's request would become. The sample is foreign bytes: whatever the kind makes of them, the
// answer is bounded.
func (a *Admin) tryKind(_ context.Context, in *tryKind) (*body[Trial], error) {
	kind, ok := a.o.Fleet.Kind(in.Kind)
	if !ok || kind.Try == nil {
		return nil, huma.Error404NotFound("Requests of this kind cannot be tried.")
	}
	query, err := url.ParseQuery(strings.TrimPrefix(in.Body.Query, "?"))
	if err != nil {
		return nil, wrong("body.query", "The query cannot be read: "+err.Error()+".")
	}
	sample := connectors.Sample{Method: cmp.Or(in.Body.Method, http.MethodPost), Query: query, Header: http.Header{}, Body: []byte(in.Body.Body)}
	for name, value := range in.Body.Headers {
		sample.Header.Set(name, value)
	}
	trial, err := a.o.Fleet.Try(in.Kind, in.Body.Settings, sample)
	if err != nil {
		a.logger.Error("a sample could not be tried", "kind", in.Kind, "err", err)
		return nil, wrong("body.body", "The request cannot be read.")
	}
	return &body[Trial]{wireTrial(trial)}, nil
}

// The most of a trial that is shown.
const (
	trialMessages = 50
	trialText     = 4000 // characters
)

func wireTrial(t connectors.Trial) Trial {
	w := Trial{Messages: []TrialMessage{}, Answer: t.Answer, Problems: []SettingProblem{}}
	if c := t.Call; c != nil {
		w.Call = &TrialCall{
			ID: c.ID, State: c.State, Direction: c.Direction, From: c.From, To: c.To, FromName: c.FromName, Queue: c.Queue,
			Ringing: orEmpty(c.Ringing), Agent: c.Agent, Outcome: c.Outcome, Cause: c.Cause, HangupBy: c.HangupBy,
			StartedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, RingSeconds: c.RingSeconds, TalkSeconds: c.TalkSeconds,
			Recordings: c.Recordings, Rating: c.Rating,
		}
	}
	for _, in := range t.Inbounds[:min(len(t.Inbounds), trialMessages)] {
		m := TrialMessage{From: in.From.Value, Name: in.Name, Text: in.Text, Attachments: []string{}}
		if r := []rune(m.Text); len(r) > trialText {
			m.Text = string(r[:trialText]) + "…"
		}
		for _, f := range in.Attachments {
			m.Attachments = append(m.Attachments, cmp.Or(f.Name, f.Type))
		}
		w.Messages = append(w.Messages, m)
	}
	for _, p := range t.Problems {
		w.Problems = append(w.Problems, SettingProblem(p))
	}
	return w
}

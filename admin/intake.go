package admin

import (
	"context"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
	"hearback/ticketstore"
)

// rawShown is how many bytes of an original are shown.
const rawShown = 64 << 10

// An Arrival is one thing that came in, and where it ended.
type Arrival struct {
	ID         desk.ID        `json:"id"`
	Channel    ArrivalChannel `json:"channel"`
	Type       string         `json:"type"`
	ExternalID string         `json:"external_id"`
	Sender     string         `json:"sender"`
	ReceivedAt desk.Time      `json:"received_at" nullable:"false"`
	State      string         `json:"state" enum:"new,done,dead"`
	Outcome    string         `json:"outcome"`
	Reason     string         `json:"reason"`
	Ticket     *ArrivalTicket `json:"ticket"`
	Attempts   int            `json:"attempts"`
}

// TransformSchema says that an arrival may have no ticket.
func (Arrival) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	p := s.Properties["ticket"]
	s.Properties["ticket"] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	return s
}

// ArrivalChannel names the channel it came by.
type ArrivalChannel struct {
	ID   desk.ID `json:"id"`
	Kind string  `json:"kind"`
	Name string  `json:"name"`
}

// ArrivalTicket names the ticket it ended in.
type ArrivalTicket struct {
	ID     desk.ID `json:"id"`
	Number string  `json:"number"`
}

// An Original is an arrival with its raw bytes as far as they can be shown.
type Original struct {
	Arrival   Arrival           `json:"arrival"`
	Meta      map[string]string `json:"meta" doc:"What the transport knew beside the body."`
	Raw       string            `json:"raw" doc:"The body as text; what is no text is shown as �."`
	Size      int               `json:"size" doc:"Bytes of the whole body."`
	Truncated bool              `json:"truncated"`
}

type listIntake struct {
	Outcome string `query:"outcome" enum:"ticket,appended,updated,duplicate,auto-reply,loop,spam,rejected,dead"`
	State   string `query:"state" enum:"new,done,dead"`
	Channel string `query:"channel"`
	Cursor  string `query:"cursor" maxLength:"500"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (a *Admin) registerIntake(api huma.API) {
	const g = "Intake"
	add(api, g, auth.IntakeRead, http.MethodGet, "/api/v1/intake", "list-intake", "What came in and where it ended", a.listIntake)
	add(api, g, auth.IntakeRead, http.MethodGet, "/api/v1/intake/counts", "count-intake", "How much ended where", a.countIntake)
	add(api, g, auth.IntakeRead, http.MethodGet, "/api/v1/intake/{id}", "get-intake", "One arrival with its original", a.getIntake)
	add(api, g, auth.IntakeWrite, http.MethodPost, "/api/v1/intake/{id}/process", "process-intake", "Process an arrival again", a.processIntake)
}

func (a *Admin) listIntake(ctx context.Context, in *listIntake) (*body[List[Arrival]], error) {
	entries, next, err := a.store.Ledger(ctx, ticketstore.LedgerFilter{
		Outcome: desk.Outcome(in.Outcome), State: in.State, ChannelID: in.Channel, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	all, err := a.arrivals(ctx, entries)
	if err != nil {
		return nil, err
	}
	return items(all, next), nil
}

// arrivals joins the ledger with the names of channels and tickets.
func (a *Admin) arrivals(ctx context.Context, entries []ticketstore.LedgerEntry) ([]Arrival, error) {
	channels, err := a.store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	names := map[desk.ID]string{}
	for _, ch := range channels {
		names[ch.ID] = ch.Name
	}
	numbers := map[desk.ID]string{}
	var all []Arrival
	for _, e := range entries {
		w := Arrival{
			ID: e.ID, Channel: ArrivalChannel{ID: e.ChannelID, Kind: e.Kind, Name: names[e.ChannelID]}, Type: string(e.Type),
			ExternalID: e.ExternalID, Sender: e.Sender, ReceivedAt: e.ReceivedAt, State: e.State, Outcome: string(e.Outcome),
			Reason: e.Reason, Attempts: e.Attempts,
		}
		if e.TicketID != "" {
			if _, known := numbers[e.TicketID]; !known {
				t, err := a.store.Ticket(ctx, e.TicketID)
				if err != nil {
					return nil, err
				}
				numbers[e.TicketID] = t.Number
			}
			w.Ticket = &ArrivalTicket{ID: e.TicketID, Number: numbers[e.TicketID]}
		}
		all = append(all, w)
	}
	return all, nil
}

// IntakeCounts are the ledger's numbers by outcome.
type IntakeCounts struct {
	Counts map[string]int `json:"counts"`
}

func (a *Admin) countIntake(ctx context.Context, _ *struct{}) (*body[IntakeCounts], error) {
	counts, err := a.store.LedgerCounts(ctx)
	if err != nil {
		return nil, err
	}
	w := IntakeCounts{Counts: map[string]int{}}
	for outcome, n := range counts {
		w.Counts[string(outcome)] = n
	}
	return &body[IntakeCounts]{w}, nil
}

func (a *Admin) getIntake(ctx context.Context, in *byID) (*body[Original], error) {
	entry, envelope, err := a.store.LedgerEntryByID(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := a.arrivals(ctx, []ticketstore.LedgerEntry{entry})
	if err != nil {
		return nil, err
	}
	raw, size, err := a.raw(ctx, envelope)
	if err != nil {
		return nil, err
	}
	w := Original{Arrival: all[0], Meta: envelope.Meta, Raw: printable(raw), Size: size, Truncated: size > len(raw)}
	if w.Meta == nil {
		w.Meta = map[string]string{}
	}
	a.changed(ctx, "", "intake.read", in.ID, struct{}{})
	return &body[Original]{w}, nil
}

// raw reads the beginning of an original, also when it is kept as a blob.
func (a *Admin) raw(ctx context.Context, e desk.Envelope) ([]byte, int, error) {
	if e.RawBlob == "" || len(e.Raw) > 0 {
		return e.Raw[:min(len(e.Raw), rawShown)], len(e.Raw), nil
	}
	f, err := a.o.Blobs.Open(ctx, e.RawBlob)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, rawShown))
	if err != nil {
		return nil, 0, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	return raw, int(size), err
}

// printable is bytes as text that JSON and a page can carry.
func printable(raw []byte) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\r' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(raw), "�"))
}

// processIntake lets the belt try an arrival again: a parser's mend is a button, not an apology.
func (a *Admin) processIntake(ctx context.Context, in *byID) (*body[Arrival], error) {
	if err := a.store.Reprocess(ctx, in.ID); err != nil {
		return nil, err
	}
	a.changed(ctx, "", "intake.processed", in.ID, struct{}{})
	a.o.Wake()
	entry, _, err := a.store.LedgerEntryByID(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := a.arrivals(ctx, []ticketstore.LedgerEntry{entry})
	if err != nil {
		return nil, err
	}
	return &body[Arrival]{all[0]}, nil
}

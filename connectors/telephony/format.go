package telephony

import (
	"cmp"
	"fmt"
	"net/http"

	"hearback/connectors"
	"hearback/desk"
)

// A format is one provider's way to tell of calls. Values are immutable and shared by all requests.
type format interface {
	// verify tells whether a request is the provider's; nil means it is.
	verify(d *door, r *request) *refusal
	// read understands a request: one report per event. It is pure and must survive any bytes. No report and no error means that
	// the request says nothing of a call (a ping, an event nobody needs): it is answered as taken and not kept. An error that is a
	// *refusal says the status; any other is 400.
	read(s *settings, r *request) ([]report, error)
	// taken is what the provider is told once everything it said is safe.
	taken(s *settings, r *request) connectors.Answer
	// refused is what it is told otherwise. detail is a sentence without secrets.
	refused(status int, detail string) connectors.Answer
}

// A namer is a format whose provider names each request in a header, the same when it is told again.
type namer interface {
	eventID(h http.Header) string
}

// A request is what a provider sent, with what must be known of the transport to read it. Decode builds the same one from an
// envelope, so read may use nothing but these.
type request struct {
	Method string
	Query  string // raw, without "?"
	Type   string // Content-Type
	ID     string // the provider's id of this request from its header, "" when there is none
	Body   []byte
	At     desk.Time // when it came

	Header http.Header // only at the door: verify may use it, read may not
	URL    string      // only at the door: the public address it was sent to, with its query
}

// A report is one thing a call centre says of one call.
type report struct {
	Call  string           // the call centre's id of the call; never empty
	Event desk.CallEvent   // From and To as told (decode makes them E.164); At zero when no time was told; Key is filled in later
	More  []desk.CallEvent // what the same report says beside: keys pressed, what was said, the rating
	ID    string           // the provider's id of this report, unique in the channel and the same when it is told again; "" when it has none
	Raw   []byte           // this report alone, in a form read understands, when the request held several; nil: the whole body

	Customer  string // the customer's number as told, when the provider says which it is; "" is From or To by direction
	Recording *recording
	Fields    map[string]string // what the call centre knows beside, shown on the ticket
}

// A recording is sound that can be fetched.
type recording struct {
	ID        string
	Ref       string // what Fetch needs: an address
	Name      string // "" makes one
	Type      string // media type when told
	ExpiresAt desk.Time
}

// A door is what a channel checks requests with.
type door struct {
	secret    string
	token     string
	tokenSeen bool     // the address asked for ends in the channel's token
	urls      []string // the public addresses the request may have been sent to, for signatures over them
	now       desk.Time
}

// A refusal is a clear no: nothing was kept.
type refusal struct {
	status int
	detail string // a sentence, without secrets
}

func (r *refusal) Error() string { return r.detail }

func refuse(status int, detail string) *refusal { return &refusal{status, detail} }

// unreadable is the refusal of what is not in the channel's format.
func unreadable(detail string, args ...any) *refusal {
	return refuse(http.StatusUnprocessableEntity, fmt.Sprintf(detail, args...))
}

// formatOf returns the format a channel's settings name.
func formatOf(s *settings) (format, error) {
	switch s.format {
	case "generic":
		return generic{}, nil
	case "zammad":
		return zammad{}, nil
	case "sipgate":
		return sipgate{}, nil
	case "placetel":
		return placetel{}, nil
	case "twilio":
		return twilio{}, nil
	case "freeswitch":
		return freeswitch{}, nil
	case "tccc":
		return tccc{}, nil
	case "aliyun":
		return aliyun{}, nil
	case "profile":
		return openProfile(s.profile)
	}
	return nil, fmt.Errorf("format %q: %w", cmp.Or(s.format, "none"), desk.ErrInvalid)
}

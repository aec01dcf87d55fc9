package telephony

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// tccc is the data push of Tencent Cloud Contact Center: cloud.tencent.com/document/product/679/67256. One push tells a whole call
// when it is over, its recording or a voicemail; which, says the parameter action.
type tccc struct{}

type tcccPush struct {
	SessionID    word `json:"SessionId"`
	Caller       word
	Callee       word
	Direction    word
	CallType     word
	Duration     word
	SeatUser     *tcccSeat
	Location     word      `json:"CallerLocation"`
	Started      word      `json:"StartTimestamp"`
	Queued       word      `json:"QueuedTimestamp"`
	Accepted     word      `json:"AcceptTimestamp"`
	Ended        word      `json:"EndedTimestamp"`
	Keys         list      `json:"IVRKeyPressed"`
	KeysEx       []tcccKey `json:"IVRKeyPressedEx"`
	PostKeys     []tcccKey `json:"PostIVRKeyPressed"`
	HungUpSide   word
	EndStatus    word         `json:"EndStatusString"`
	Participants []tcccServed `json:"ServeParticipants"`
	SkillGroup   word         `json:"QueuedSkillGroupName"`
	SkillGroupID word         `json:"QueuedSkillGroupId"`
	Uui          word
	UserRemark   word
	RecordID     word `json:"RecordId"`
	Timestamp    word
	EndpointUser word
	RecordURL    word
	CustomURL    word `json:"CustomRecordURL"`
}

type tcccSeat struct {
	Mail, Name, Nick, Phone word
	UserID                  word `json:"UserId"`
	StaffNumber             word
}

func (t *tcccSeat) names() []string {
	if t == nil {
		return nil
	}
	return agentsOf(t.Name.String(), t.UserID.String(), t.Mail.String(), t.StaffNumber.String(), t.Phone.String())
}

type tcccKey struct {
	Key, Label word
}

type tcccServed struct {
	Mail, Phone word
	Sequence    word
	TransferTo  word
	Ring        word `json:"RingTimestamp"`
	Started     word `json:"StartTimestamp"`
	Group       word `json:"SkillGroupName"`
}

func (tccc) verify(d *door, r *request) *refusal { return needPassword(d, r) }

// eventID marks a push; a repeated one has the same.
func (tccc) eventID(h http.Header) string { return h.Get("X-TCCC-PUSH-UUID") }

func (t tccc) read(s *settings, r *request) ([]report, error) {
	var p tcccPush
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return nil, refuse(http.StatusBadRequest, "The body is no data push of TCCC.")
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "The address cannot be read.")
	}
	action := query.Get("action")
	if action == "" {
		action = p.guess()
	}
	if action != "cdr" && action != "record" && action != "voicemail" {
		return nil, nil // messages of other channels, sign-ins of agents
	}
	if p.SessionID.String() == "" {
		return nil, unreadable("SessionId is missing.")
	}
	rep := report{Call: p.SessionID.String()}
	if action == "cdr" {
		t.cdr(s, &p, &rep)
	} else {
		t.sound(s, action, &p, &rep)
	}
	return []report{rep}, nil
}

func (p *tcccPush) guess() string {
	switch {
	case p.RecordURL != "" && p.RecordID != "":
		return "record"
	case p.RecordURL != "":
		return "voicemail"
	case p.Ended != "" || p.Started != "":
		return "cdr"
	}
	return ""
}

// tcccEnds are the end states of calls that no agent took (cloud.tencent.com/document/product/679/123938). seatForward and ok are
// those that one did.
var tcccEnds = map[string]string{"ok": "answered", "seatforward": "answered", "blacklist": "blocked", "voicemail": "voicemail", "userbusy": "busy", "busy": "busy",
	"userreject": "rejected", "reject": "rejected", "ringinggiveup": "missed", "waitinggiveup": "missed", "ivrgiveup": "missed", "ivrend": "missed", "seatgiveup": "missed",
	"noseatonline": "missed", "notworktime": "missed", "noanswer": "missed", "unconnected": "missed"}

func (tccc) cdr(s *settings, p *tcccPush, rep *report) {
	e := &rep.Event
	*e = desk.CallEvent{Type: desk.CallCDR, Direction: "inbound", From: p.Caller.String(), To: p.Callee.String(), Queue: firstOf(p.SkillGroup.String(), p.SkillGroupID.String()),
		StartedAt: moment(p.Started.String(), s.zone), AnsweredAt: moment(p.Accepted.String(), s.zone), EndedAt: moment(p.Ended.String(), s.zone), Agents: p.SeatUser.names(),
		Cause: p.EndStatus.String(), By: map[string]string{"user": "customer", "seat": "agent"}[p.HungUpSide.String()]}
	e.At = cmp.Or(e.EndedAt, e.StartedAt)
	if p.Direction.String() == "1" {
		e.Direction = "outbound"
	}
	if p.CallType.String() == "6" {
		e.Direction = "internal"
	}
	switch e.Outcome = oneOf(tcccEnds, e.Cause); {
	case e.AnsweredAt != 0:
		e.Outcome, e.Seconds = "answered", wholeSeconds(p.Duration.String())
	case e.Outcome == "" || e.Outcome == "answered":
		e.Outcome = "missed"
	}
	rep.Fields = map[string]string{"location": p.Location.String(), "uui": p.Uui.String(), "remark": p.UserRemark.String()}
	rep.More = p.steps(s, e)
}

// steps are what happened on the way: keys, the queue, transfers, the satisfaction told by a key after the talk.
func (p *tcccPush) steps(s *settings, e *desk.CallEvent) []desk.CallEvent {
	keys := p.KeysEx
	for i := 0; len(p.KeysEx) == 0 && i < len(p.Keys); i++ {
		keys = append(keys, tcccKey{Key: p.Keys[i]})
	}
	var out []desk.CallEvent
	for i, k := range keys {
		out = append(out, desk.CallEvent{Type: desk.CallIVR, At: e.StartedAt + desk.Time(i), Keys: k.Key.String(), Label: k.Label.String()})
	}
	if at := moment(p.Queued.String(), s.zone); at != 0 {
		out = append(out, desk.CallEvent{Type: desk.CallQueued, At: at, Queue: e.Queue})
	}
	for i, served := range p.Participants {
		if i > 0 {
			out = append(out, desk.CallEvent{Type: desk.CallTransferred, At: moment(firstOf(served.Started.String(), served.Ring.String()), s.zone),
				Agents: agentsOf(served.Mail.String(), served.Phone.String()), Queue: served.Group.String()})
		}
	}
	for i, k := range p.PostKeys {
		out = append(out, desk.CallEvent{Type: desk.CallIVR, At: e.EndedAt + desk.Time(i), Keys: k.Key.String(), Label: k.Label.String()})
		if n := satisfaction(k.Label.String()); n > 0 {
			out = append(out, desk.CallEvent{Type: desk.CallRating, At: e.EndedAt + desk.Time(i), Rating: n})
		}
	}
	return slices.DeleteFunc(out, func(x desk.CallEvent) bool { return x.Type == desk.CallIVR && x.Keys == "" && x.Label == "" })
}

// satisfaction is the rating that a label means, from 1 to 5; 0 when it means none.
func satisfaction(label string) int {
	return map[string]int{"非常满意": 5, "很满意": 5, "满意": 4, "一般": 3, "不满意": 2, "非常不满意": 1, "很不满意": 1}[strings.TrimSpace(label)]
}

// sound is a recording or a voicemail. Links live for three months.
func (tccc) sound(s *settings, action string, p *tcccPush, rep *report) {
	e := &rep.Event
	*e = desk.CallEvent{Type: desk.CallRecording, At: moment(p.Timestamp.String(), s.zone), Seconds: wholeSeconds(p.Duration.String())}
	rep.Customer = "unknown" // EndpointUser is the agent
	if action == "voicemail" {
		e.Type, e.Direction, e.From, rep.Customer = desk.CallVoicemail, "inbound", firstOf(p.Caller.String(), p.EndpointUser.String()), ""
	}
	rep.Recording = &recording{ID: p.RecordID.String(), Ref: firstOf(p.CustomURL.String(), p.RecordURL.String())}
	if e.At != 0 {
		rep.Recording.ExpiresAt = e.At.Add(90 * 24 * time.Hour)
	}
}

func (tccc) taken(*settings, *request) connectors.Answer { return tcccAnswer(http.StatusOK, 0, "") }

func (tccc) refused(status int, detail string) connectors.Answer {
	return tcccAnswer(status, status, detail)
}

func tcccAnswer(status, code int, text string) connectors.Answer {
	b, _ := json.Marshal(struct {
		ErrCode int
		ErrMsg  string
	}{code, text})
	return connectors.Answer{Status: status, Type: "application/json; charset=utf-8", Body: string(b)}
}

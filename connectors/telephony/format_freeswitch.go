package telephony

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// freeswitch is mod_json_cdr: the final record of each leg, posted at its hang-up. Legs of one call name the leg they were dialled
// from: developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653124.
type freeswitch struct{}

type freeswitchCDR struct {
	Variables map[string]word `json:"variables"`
	Callflow  freeswitchFlows `json:"callflow"`
}

// freeswitchFlow is where a leg went; a record has one, or a list of them with the latest first.
type freeswitchFlow struct {
	Profile map[string]word `json:"caller_profile"`
	Times   map[string]word `json:"times"`
}

type freeswitchFlows []freeswitchFlow

func (f *freeswitchFlows) UnmarshalJSON(b []byte) error {
	*f = nil
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]freeswitchFlow)(f))
	}
	var one freeswitchFlow
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*f = freeswitchFlows{one}
	return nil
}

func (freeswitch) verify(d *door, r *request) *refusal { return needPassword(d, r) }

// plainCDR undoes what the setting "encode" does to the document: raw JSON, or the form field cdr, urlencoded or in Base64.
func plainCDR(body []byte) []byte {
	body = bytes.TrimSpace(body)
	rest, form := bytes.CutPrefix(body, []byte("cdr="))
	if !form {
		return body
	}
	text := string(rest)
	if !strings.HasPrefix(text, "{") && strings.Contains(text, "%") {
		if plain, err := url.QueryUnescape(text); err == nil {
			text = plain
		}
	}
	if strings.HasPrefix(text, "{") {
		return []byte(text)
	}
	text = strings.Map(func(r rune) rune {
		if r == ' ' { // a plus that somebody took for a blank
			return '+'
		}
		return r
	}, strings.TrimRight(text, "=\r\n "))
	if plain, err := base64.RawStdEncoding.DecodeString(text); err == nil {
		return plain
	}
	return []byte(text)
}

// get returns the first variable that says something. Values are urlencoded unless "encode-values" is off.
func (c *freeswitchCDR) get(names ...string) string {
	for _, n := range names {
		v := c.Variables[n].String()
		for i := 0; v == "" && i < len(c.Callflow); i++ {
			v = firstOf(c.Callflow[i].Profile[n].String(), c.Callflow[i].Times[n].String())
		}
		if plain, err := url.PathUnescape(v); err == nil {
			v = plain
		}
		if v != "" && v != "_undef_" {
			return v
		}
	}
	return ""
}

func (f freeswitch) read(s *settings, r *request) ([]report, error) {
	var c freeswitchCDR
	if err := json.Unmarshal(plainCDR(r.Body), &c); err != nil {
		return nil, refuse(http.StatusBadRequest, "The body is no record of mod_json_cdr.")
	}
	id := c.get("uuid")
	if id == "" {
		return nil, unreadable("variables.uuid is missing.")
	}
	rep := report{Call: firstOf(c.get("call_uuid"), c.get("originator"), c.get("originating_leg_uuid"), id)}
	e := &rep.Event
	*e = desk.CallEvent{Type: desk.CallCDR, From: c.get("caller_id_number", "ani"), To: c.get("destination_number"), FromName: c.get("caller_id_name"), Queue: c.get("cc_queue"),
		StartedAt: moment(c.get("start_uepoch", "start_epoch", "created_time"), s.zone), AnsweredAt: moment(c.get("answer_uepoch", "answer_epoch", "answered_time"), s.zone),
		EndedAt: moment(c.get("end_uepoch", "end_epoch", "hangup_time"), s.zone), Cause: c.get("hangup_cause"), Seconds: wholeSeconds(c.get("billsec"))}
	if e.FromName == e.From {
		e.FromName = ""
	}
	e.At = e.EndedAt
	if rep.Call != id {
		e.Leg = id
		e.Agents = agentsOf(c.get("dialed_user", "dialed_extension", "cc_agent"), e.To)
	} else {
		e.Direction = f.direction(s, &c, e)
		if c.get("bridge_uuid", "last_bridge_to") != "" || e.Direction == "outbound" {
			e.Agents = agentsOf(c.get("cc_agent", "dialed_user", "dialed_extension", "last_sent_callee_id_number"))
		}
	}
	f.outcome(&c, e)
	f.beside(&c, &rep)
	return []report{rep}, nil
}

// direction is the call's, not the leg's: a leg that comes into the switch from an extension is a call that goes out.
func (freeswitch) direction(s *settings, c *freeswitchCDR, e *desk.CallEvent) string {
	_, from := s.e164(e.From)
	_, to := s.e164(e.To)
	switch {
	case withheld(e.From), from && c.get("direction") != "outbound":
		return "inbound"
	case to:
		return "outbound"
	case !from && e.From != "" && e.To != "":
		return "internal"
	}
	return oneOf(directions, c.get("direction"))
}

// freeswitchCauses are hang-up causes (Q.850 and FreeSWITCH's own) of calls that nobody took.
var freeswitchCauses = map[string]string{"userbusy": "busy", "callrejected": "rejected", "originatorcancel": "canceled", "noanswer": "missed", "nouserresponse": "missed",
	"allottedtimeout": "missed", "normalclearing": "missed", "loserace": "missed", "pickedoff": "missed", "blindtransfer": "forwarded", "attendedtransfer": "forwarded",
	"blacklisted": "blocked"}

func (freeswitch) outcome(c *freeswitchCDR, e *desk.CallEvent) {
	switch {
	case strings.Contains(c.get("last_app"), "voicemail"):
		e.Outcome = "voicemail"
	case e.AnsweredAt != 0 || e.Seconds > 0:
		e.Outcome = "answered"
	default:
		if e.Outcome = oneOf(freeswitchCauses, e.Cause); e.Outcome == "" {
			e.Outcome = "failed"
		}
	}
	switch d := c.get("sip_hangup_disposition"); {
	case e.Leg == "" && (d == "recv_bye" || d == "recv_cancel"):
		e.By = "customer"
	case e.Leg == "" && strings.HasPrefix(d, "send_"):
		e.By = "agent"
	}
	if e.Direction == "outbound" && e.By != "" { // the leg is the agent's
		e.By = map[string]string{"customer": "agent", "agent": "customer"}[e.By]
	}
	if e.Outcome != "answered" {
		e.AnsweredAt, e.Seconds = 0, 0
	}
}

// beside takes keys and the recording along.
func (freeswitch) beside(c *freeswitchCDR, rep *report) {
	if keys := c.get("digits_dialed"); keys != "" && keys != "none" && rep.Event.Leg == "" {
		rep.More = append(rep.More, desk.CallEvent{Type: desk.CallIVR, At: rep.Event.StartedAt, Keys: keys})
	}
	file := c.get("record_url", "recording_url", "record_file_path", "recording_file", "record_file", "cc_record_filename")
	switch {
	case strings.HasPrefix(file, "https://"), strings.HasPrefix(file, "http://"):
		rep.Recording = &recording{Ref: file}
	case file != "": // a path on the switch: nothing we could fetch
		rep.Fields = map[string]string{"recording_file": file}
	}
}

func agentsOf(names ...string) []string {
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
}

func (freeswitch) taken(*settings, *request) connectors.Answer {
	return textAnswer(http.StatusOK, "OK")
}

func (freeswitch) refused(status int, detail string) connectors.Answer {
	return textAnswer(status, detail)
}

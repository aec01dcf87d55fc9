package telephony

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// aliyun is Alibaba Cloud: events of the contact center CCC 2.0 (help.aliyun.com/zh/ccs/use-cases/event-notification-formats) and the
// batched reports of its voice services (VoiceCallReport, VoiceReport, VoiceRecordReport: help.aliyun.com/zh/vms).
type aliyun struct{}

func (aliyun) verify(d *door, r *request) *refusal { return needPassword(d, r) }

func (a aliyun) read(s *settings, r *request) ([]report, error) {
	body := bytes.TrimSpace(r.Body)
	var bodies []json.RawMessage // a fresh one: reading into an element that is the body would write over it
	if !bytes.HasPrefix(body, []byte("[")) {
		bodies = append(bodies, body)
	} else if err := json.Unmarshal(body, &bodies); err != nil {
		return nil, refuse(http.StatusBadRequest, "The body is no JSON.")
	}
	var out []report
	for _, b := range bodies {
		v, err := leaves(b, 0)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "The body is no JSON object and no list of them.")
		}
		rep, err := a.one(s, v)
		if err != nil {
			return nil, err
		}
		if rep != nil {
			if len(bodies) > 1 {
				rep.Raw = b
			}
			out = append(out, *rep)
		}
	}
	return out, nil
}

func (a aliyun) one(s *settings, v values) (*report, error) {
	if v.get("eventtype") != "" {
		return a.event(s, v)
	}
	if v.get("callid") == "" {
		return nil, unreadable("call_id is missing.")
	}
	return a.voice(s, v), nil
}

// leaves collects the values of a JSON object and of the objects in it by name, without case and underscores: call_id, callId and
// CallId are one. What stands further out comes first. Objects in strings are read too.
func leaves(b []byte, depth int) (values, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil || object == nil {
		return nil, refuse(http.StatusBadRequest, "The body is no JSON object.")
	}
	v, names := values{}, make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	var inner []json.RawMessage
	for _, name := range names {
		raw := object[name]
		if len(raw) > 0 && raw[0] == '{' {
			inner = append(inner, raw)
			continue
		}
		var l list
		if json.Unmarshal(raw, &l) != nil {
			continue
		}
		for _, w := range l {
			if t := w.String(); strings.HasPrefix(t, "{") && json.Valid([]byte(t)) {
				inner = append(inner, json.RawMessage(t))
				continue
			}
			key := strings.ToLower(strings.ReplaceAll(name, "_", ""))
			v[key] = append(v[key], string(w))
		}
	}
	for _, raw := range inner {
		if depth >= 4 {
			break
		}
		deeper, err := leaves(raw, depth+1)
		if err != nil {
			return nil, err
		}
		for name, all := range deeper {
			v[name] = append(v[name], all...)
		}
	}
	return v, nil
}

// aliyunEvents are the events of a call in CCC 2.0. What is not among them (agents signing in, chats) says nothing of a call.
var aliyunEvents = map[string]string{"dialing": desk.CallInitiated, "agentdialing": desk.CallInitiated, "originating": desk.CallInitiated, "ringing": desk.CallRinging,
	"agentringing": desk.CallRinging, "established": desk.CallAnswered, "agentestablished": desk.CallAnswered, "agenttalking": desk.CallAnswered, "agentconnected": desk.CallAnswered,
	"released": desk.CallHangup, "abandoned": desk.CallHangup, "queueing": desk.CallQueued, "queuing": desk.CallQueued, "queueingtimeout": desk.CallQueued,
	"queueingoverflow": desk.CallQueued, "queueingfailed": desk.CallQueued, "ivrtracking": desk.CallIVR, "route2ivr": desk.CallIVR,
	"recordingready": desk.CallRecording, "dualtrackrecordingready": desk.CallRecording, "voicemailready": desk.CallVoicemail, "cdrready": desk.CallCDR,
	"satisfactionsurveyresponse": desk.CallRating, "textstream": desk.CallTranscript, "transferred": desk.CallTransferred}

var aliyunDirections = map[string]string{"inbound": "inbound", "outbound": "outbound", "predictive": "outbound", "back2back": "outbound", "internal": "internal"}

// aliyunEnds are the dispositions of a call's record (GetCallDetailRecord, ContactDisposition).
var aliyunEnds = map[string]string{"success": "answered", "noanswer": "missed", "abandonedinqueue": "missed", "abandonedinring": "missed", "abandonedinivr": "missed",
	"abandonedinvoicenavigator": "missed", "queuingtimeout": "missed", "queuingoverflow": "missed", "queuingfailed": "missed", "ivrexception": "missed", "voicemail": "voicemail",
	"forwardtooutsidenumber": "forwarded", "reject": "rejected", "busy": "busy"}

func (a aliyun) event(s *settings, v values) (*report, error) {
	kind := oneOf(aliyunEvents, v.get("eventtype"))
	media := strings.ToLower(v.get("mediatype"))
	watching := slices.Contains([]string{"MONITOR", "COACH", "BARGE", "INTERCEPT"}, v.get("calltype", "contacttype"))
	if kind == "" || watching || media == "chat" || media == "ticket" {
		return nil, nil
	}
	call := v.get("contactid", "jobid")
	if call == "" {
		return nil, unreadable("contactId is missing.")
	}
	rep := &report{Call: call, Event: desk.CallEvent{Type: kind, At: moment(v.get("eventtime"), s.zone), Direction: oneOf(aliyunDirections, v.get("calltype", "contacttype")),
		From: v.get("caller", "callingnumber", "ani"), To: v.get("callee", "callednumber", "dnis"), Queue: v.get("skillgroupname", "skillgroupid")}}
	e := &rep.Event
	e.Agents = agentsOf(v.get("agentid", "agentids"), v.get("agentname", "agentnames"))
	if e.Direction == "" && e.From == "" || e.Direction == "" && v.get("calltype", "contacttype") != "" {
		rep.Customer = firstOf(v.get("customernumber", "phonenumber"), "unknown")
	}
	a.fill(s, v, rep)
	return rep, nil
}

// fill adds what an event of its type tells beside.
func (a aliyun) fill(s *settings, v values, rep *report) {
	e := &rep.Event
	switch e.Type {
	case desk.CallHangup:
		e.Cause = v.get("releasereason", "reason", "disconnectreason")
		if strings.EqualFold(v.get("eventtype"), "abandoned") {
			e.Outcome = "missed"
		}
		e.By = aliyunBy(v)
	case desk.CallCDR:
		e.StartedAt, e.EndedAt = moment(v.get("starttime", "callstarttime"), s.zone), moment(v.get("releasetime", "endtime"), s.zone)
		e.AnsweredAt = moment(v.get("establishedtime", "answertime", "agentestablishedtime"), s.zone)
		e.Cause, e.By = v.get("contactdisposition", "releasereason"), aliyunBy(v)
		if e.Outcome = oneOf(aliyunEnds, e.Cause); e.Outcome == "answered" || e.Outcome == "" {
			e.Seconds = wholeSeconds(v.get("talktime", "talkduration"))
		}
	case desk.CallIVR:
		e.Keys, e.Label = v.get("dtmf", "digits", "input", "key"), v.get("nodename", "flowname", "ivrname", "contactflowname")
	case desk.CallRecording, desk.CallVoicemail:
		if address := v.get("recordingurl", "voicemailurl", "fileurl", "mediaurl", "downloadurl", "url"); address != "" {
			rep.Recording = &recording{ID: v.get("recordingid", "channelid"), Ref: address, Name: v.get("filename")}
		}
	case desk.CallRating:
		e.Rating = wholeSeconds(v.get("satisfactionrating", "rating", "score", "level", "satisfaction", "value"))
		if e.Rating == 0 {
			e.Rating = satisfaction(v.get("satisfactiondescription", "label", "description"))
		}
	case desk.CallTranscript:
		e.Text, e.Speaker = v.get("text", "content", "words"), strings.ToLower(v.get("speaker", "role", "identity"))
		if begin := moment(v.get("begintime", "begin"), s.zone); begin != 0 {
			e.At = begin
		}
	}
}

func aliyunBy(v values) string {
	by := strings.ToLower(v.get("releaseinitiator", "initiator"))
	if by == "customer" || by == "agent" || by == "system" {
		return by
	}
	return ""
}

// aliyunStates are the states on the way of a call (help.aliyun.com/document_detail/112804.htm).
var aliyunStates = map[string]string{"200101": desk.CallInitiated, "200201": desk.CallRinging, "200102": desk.CallAnswered, "200103": desk.CallAnswered, "200100": desk.CallHangup,
	"300000": desk.CallIVR}

// aliyunResults are results of calls: carriers' codes (help.aliyun.com/document_detail/55085.htm) and the smart ones.
var aliyunResults = map[string]string{"200000": "answered", "200001": "answered", "200100": "", "200002": "busy", "200112": "busy", "200003": "missed", "200113": "missed", "200005": "rejected",
	"200111": "rejected", "answered": "answered", "cancel": "canceled", "callrejected": "rejected", "callforwarding": "forwarded", "noanswer": "missed", "userbusy": "busy", "networkbusy": "busy"}

// voice reads a report of the voice services. Their calls go out.
func (aliyun) voice(s *settings, v values) *report {
	rep := &report{Call: v.get("callid"), Event: desk.CallEvent{Direction: "outbound", From: v.get("caller"), To: v.get("callee", "called"), Cause: v.get("statusmsg", "smartstatuscode", "statuscode")}}
	e := &rep.Event
	if d := oneOf(aliyunDirections, v.get("calltype")); d != "" {
		e.Direction = d
	}
	if out := v.get("outid"); out != "" {
		rep.Fields = map[string]string{"out_id": out}
	}
	code := v.get("statuscode")
	switch file := v.get("recordfile", "recordurl", "recordingurl"); {
	case file != "":
		e.Type, e.At = desk.CallRecording, moment(v.get("recordbegintime", "starttime"), s.zone)
		e.Cause, rep.Recording = "", &recording{Ref: file}
	case v.get("endtime") != "" || v.get("originatetime") != "":
		e.Type, e.StartedAt, e.EndedAt = desk.CallCDR, moment(v.get("originatetime", "ringtime", "starttime"), s.zone), moment(v.get("endtime"), s.zone)
		e.AnsweredAt, e.At = moment(v.get("bstarttime", "starttime"), s.zone), e.EndedAt
		e.Outcome = firstOf(oneOf(aliyunResults, v.get("smartstatuscode")), oneOf(aliyunResults, code))
		if e.AnsweredAt != 0 {
			e.Outcome, e.Seconds = "answered", wholeSeconds(v.get("bduration", "duration"))
		} else if e.Outcome == "" || e.Outcome == "answered" {
			e.Outcome = "missed"
		}
		e.By = map[string]string{"用户": "customer", "User": "customer", "机器": "system", "Robot": "system"}[v.get("hangupdirection")]
	default:
		e.Type, e.At = aliyunStates[code], moment(v.get("statustime"), s.zone)
		if keys := v.get("dtmf"); keys != "" && (e.Type == "" || e.Type == desk.CallIVR) {
			e.Type, e.Keys = desk.CallIVR, keys
		}
		if e.Type == "" { // a code of how it ended
			e.Type, e.Outcome = desk.CallHangup, firstOf(oneOf(aliyunResults, v.get("smartstatuscode")), oneOf(aliyunResults, code))
		}
		if e.Type != desk.CallHangup {
			e.Cause = ""
		}
	}
	return rep
}

// taken is what the voice services expect; for CCC any 200 does.
func (aliyun) taken(*settings, *request) connectors.Answer {
	return aliyunAnswer(http.StatusOK, 0, "接收成功")
}

func (aliyun) refused(status int, detail string) connectors.Answer {
	return aliyunAnswer(status, status, detail)
}

func aliyunAnswer(status, code int, text string) connectors.Answer {
	b, _ := json.Marshal(struct {
		Code int    `json:"code"`
		Msg  string `json:"msg"`
	}{code, text})
	return connectors.Answer{Status: status, Type: "application/json; charset=utf-8", Body: string(b)}
}

package pbx

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// bare is a number as most call centres write it: no plus.
func bare(number string) string { return strings.TrimPrefix(number, "+") }

func formHeader() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// inOut is the direction in the words of Zammad and sipgate.
func inOut(s Script) string {
	if s.outbound() {
		return "out"
	}
	return "in"
}

// zammadCause is the cause of Zammad's CTI for why a call ended.
func zammadCause(st step) string {
	switch st.cause {
	case "noanswer":
		return "noAnswer"
	case "cancel":
		return "cancel"
	}
	return "normalClearing"
}

// zammadRequests is Zammad's generic CTI: newCall, answer, hangup. It knows neither transfers nor recordings.
func zammadRequests(s Script, steps []step, form bool) (out []Request) {
	add := func(at time.Time, event string, more ...string) {
		fields := url.Values{"event": {event}, "from": {bare(s.from())}, "to": {bare(s.to())}, "direction": {inOut(s)}, "callId": {s.ID}}
		for i := 0; i+1 < len(more); i += 2 {
			fields.Add(more[i], more[i+1])
		}
		r := Request{Method: http.MethodPost, Header: formHeader(), Body: fields.Encode(), Type: event, At: at}
		if !form {
			r.Header, r.Body = jsonHeader(), zammadJSON(fields)
		}
		out = append(out, r)
	}
	add(s.Start, "newCall", "user[]", s.Agent, "queue", s.Queue)
	for _, st := range steps {
		switch {
		case st.kind == "answer":
			add(st.at, "answer", "user", st.agent, "answeringNumber", st.agent)
		case st.kind == "hangup" && st.leg == "":
			add(st.at, "hangup", "cause", zammadCause(st))
		}
	}
	return out
}

func zammadJSON(fields url.Values) string {
	m := map[string]any{}
	for k, v := range fields {
		if name, list := strings.CutSuffix(k, "[]"); list {
			m[name] = v
		} else {
			m[k] = v[0]
		}
	}
	return asJSON(m)
}

// sipgateRequests is sipgate.io's push.
func sipgateRequests(s Script, steps []step) (out []Request) {
	add := func(at time.Time, event string, more ...string) {
		fields := url.Values{"event": {event}, "from": {bare(s.from())}, "to": {bare(s.to())}, "direction": {inOut(s)}, "callId": {s.ID}, "origCallId": {s.ID},
			"xcid": {s.ID + "-x"}}
		for i := 0; i+1 < len(more); i += 2 {
			fields.Add(more[i], more[i+1])
		}
		out = append(out, Request{Method: http.MethodPost, Header: formHeader(), Body: fields.Encode(), Type: event, At: at})
	}
	add(s.Start, "newCall", "user[]", s.Agent, "userId[]", "w"+s.Agent, "fullUserId[]", "1234567w"+s.Agent)
	for _, st := range steps {
		switch {
		case st.kind == "ivr":
			add(st.at, "dtmf", "dtmf", "1")
		case st.kind == "answer":
			add(st.at, "answer", "user", st.agent, "userId", "w"+st.agent, "fullUserId", "1234567w"+st.agent, "answeringNumber", bare(s.to()))
		case st.kind == "hangup" && st.leg == "":
			add(st.at, "hangup", "cause", zammadCause(st), "answeringNumber", bare(s.to()))
		}
	}
	return out
}

// placetelRequests is Placetel's notification.
func placetelRequests(s Script, steps []step) (out []Request) {
	add := func(at time.Time, event string, more ...string) {
		fields := url.Values{"event": {event}, "from": {bare(s.from())}, "to": {bare(s.to())}, "call_id": {s.ID}, "direction": {inOut(s)}}
		for i := 0; i+1 < len(more); i += 2 {
			fields.Set(more[i], more[i+1])
		}
		out = append(out, Request{Method: http.MethodPost, Header: formHeader(), Body: fields.Encode(), Type: event, At: at})
	}
	if s.outbound() {
		add(s.Start, "OutgoingCall", "peer", s.Agent+"@fpbx.de")
	} else {
		add(s.Start, "IncomingCall")
	}
	for _, st := range steps {
		switch {
		case st.kind == "answer":
			add(st.at, "CallAccepted", "peer", st.agent+"@fpbx.de")
		case st.kind == "hangup" && st.leg == "":
			typ := map[string]string{Missed: "missed", Abandoned: "missed", Voicemail: "voicemail"}[s.Scenario]
			if typ == "" {
				typ = "accepted"
			}
			add(st.at, "HungUp", "type", typ)
		}
	}
	return out
}

// stamp is a time as databases write it, in China's zone.
func stamp(t time.Time) string { return t.In(china).Format("2006-01-02 15:04:05") }

var china = time.FixedZone("CST", 8*3600)

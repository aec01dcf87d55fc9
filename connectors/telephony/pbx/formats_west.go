package pbx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps of texts and numbers come here
	}
	return string(b)
}

// genericRequests is the gateway's own JSON (docs/telephony.md).
func genericRequests(s Script, steps []step) (out []Request) {
	direction := "inbound"
	if s.outbound() {
		direction = "outbound"
	}
	add := func(typ string, st step, more map[string]any) {
		id := fmt.Sprintf("%s-%d", s.ID, len(out))
		data := map[string]any{"call_id": s.ID, "direction": direction, "from": map[string]string{"number": s.from(), "name": s.Name}, "to": s.to(),
			"occurred_at": st.at.UTC().Format("2006-01-02T15:04:05.000Z")}
		if st.leg != "" {
			data["leg_id"] = st.leg
		}
		if st.agent != "" {
			data["agent"] = map[string]string{"ext": st.agent}
		}
		if s.Callback != "" {
			data["callback_id"] = s.Callback
		}
		for k, v := range more {
			data[k] = v
		}
		body := map[string]any{"type": "call." + typ, "timestamp": st.at.UTC().Format("2006-01-02T15:04:05.000Z"), "data": data}
		out = append(out, Request{Method: http.MethodPost, Header: jsonHeader(), Body: asJSON(body), ID: id, Type: typ, At: st.at})
	}
	for _, st := range steps {
		switch st.kind {
		case "start":
			add("initiated", step{at: st.at}, nil)
		case "ivr":
			add("ivr", st, map[string]any{"ivr": []map[string]string{{"key": "1", "label": "售后"}}})
		case "queue":
			add("queued", st, map[string]any{"queue": s.Queue})
		case "ring":
			add("ringing", st, map[string]any{"queue": s.Queue})
		case "answer":
			add("answered", st, nil)
		case "transfer":
			add("transferred", st, nil)
		case "hangup":
			add("hangup", st, map[string]any{"hangup": map[string]string{"cause": st.cause, "by": st.by}})
		case "recording", "voicemail":
			add(st.kind, st, map[string]any{"recording": map[string]any{"id": "rec-" + s.ID, "url": st.url, "duration": int(st.took / time.Second)}})
		}
	}
	return out
}

// twilioRequests is Twilio Voice: the answer URL's request, status callbacks in their sequence, the recording's callback.
func twilioRequests(s Script, steps []step) (out []Request) {
	direction := "inbound"
	if s.outbound() {
		direction = "outbound-api"
	}
	sequence := 0
	add := func(status string, at time.Time, more ...string) {
		f := url.Values{"CallSid": {s.ID}, "AccountSid": {twilioAccount}, "From": {s.from()}, "To": {s.to()}, "CallStatus": {status}, "Direction": {direction},
			"ApiVersion": {"2010-04-01"}, "Timestamp": {at.UTC().Format(time.RFC1123Z)}, "CallbackSource": {"call-progress-events"},
			"SequenceNumber": {strconv.Itoa(sequence)}}
		if s.Name != "" {
			f.Set("CallerName", s.Name)
		}
		for i := 0; i+1 < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		sequence++
		out = append(out, Request{Method: http.MethodPost, Header: formHeader(), Body: f.Encode(), Type: status, At: at})
	}
	answered := false
	for _, st := range steps {
		switch {
		case st.kind == "start":
			add("initiated", st.at)
		case st.kind == "ring" && st.leg != s.ID+"-b":
			add("ringing", st.at)
		case st.kind == "answer" && !answered:
			answered = true
			add("in-progress", st.at)
		case st.kind == "hangup" && st.leg == "":
			status := "completed"
			if !answered {
				status = "no-answer"
			}
			add(status, st.at, "CallDuration", strconv.Itoa(s.TalkSeconds()), "Duration", "1")
		case st.kind == "recording" || st.kind == "voicemail":
			f := url.Values{"CallSid": {s.ID}, "AccountSid": {twilioAccount}, "RecordingSid": {"RE" + s.ID}, "RecordingUrl": {st.url}, "RecordingStatus": {"completed"},
				"RecordingDuration": {strconv.Itoa(int(st.took / time.Second))}, "RecordingChannels": {"1"}, "RecordingStartTime": {st.at.UTC().Format(time.RFC1123Z)},
				"RecordingSource": {map[string]string{"recording": "DialVerb", "voicemail": "RecordVerb"}[st.kind]}}
			out = append(out, Request{Method: http.MethodPost, Header: formHeader(), Body: f.Encode(), Type: "recording", At: st.at})
		}
	}
	return out
}

const twilioAccount = "AC00000000000000000000000000000001"

// freeswitchRequests is mod_json_cdr: one record of the caller's leg when all is over, its values URL-encoded.
func freeswitchRequests(s Script, steps []step) []Request {
	hang, ok := find(steps, "hangup")
	if !ok {
		return nil
	}
	answer, answered := find(steps, "answer")
	epoch := func(t time.Time, set bool) string {
		if !set {
			return "0"
		}
		return strconv.FormatInt(t.Unix(), 10)
	}
	direction, cause := "inbound", "NORMAL_CLEARING"
	if s.outbound() {
		direction = "outbound"
	}
	switch {
	case hang.cause == "noanswer":
		cause = "NO_ANSWER"
	case hang.cause == "cancel":
		cause = "ORIGINATOR_CANCEL"
	}
	v := map[string]string{
		"uuid": s.ID, "call_uuid": s.ID, "direction": direction, "start_stamp": url.QueryEscape(s.Start.UTC().Format("2006-01-02 15:04:05")),
		"start_epoch": epoch(s.Start, true), "answer_epoch": epoch(answer.at, answered), "end_epoch": epoch(hang.at, true),
		"duration": strconv.Itoa(int(hang.at.Sub(s.Start) / time.Second)), "billsec": strconv.Itoa(s.TalkSeconds()), "hangup_cause": cause,
		"sip_hangup_disposition": "recv_bye", "caller_id_number": url.QueryEscape(s.from()), "destination_number": url.QueryEscape(s.to()), "last_app": "bridge",
		"sip_from_user": url.QueryEscape(s.from()), "sip_to_user": url.QueryEscape(s.to()),
	}
	last := s.Agent
	for _, st := range steps {
		if st.kind == "answer" {
			last = st.agent
		}
	}
	if answered {
		v["dialed_user"] = last
	}
	if s.Scenario == Voicemail {
		v["last_app"] = "voicemail"
	}
	body := map[string]any{
		"core-uuid": "0e9f0cd6", "switchname": "pbx", "channel_data": map[string]string{"state": "CS_REPORTING", "direction": direction}, "variables": v,
		"app_log": map[string]any{"applications": []any{}},
		"callflow": []any{map[string]any{"caller_profile": map[string]string{"caller_id_number": s.from(), "destination_number": s.to(), "caller_id_name": s.Name},
			"times": map[string]string{"created_time": fmt.Sprint(s.Start.UnixMicro()), "answered_time": fmt.Sprint(micro(answer.at, answered)), "hangup_time": fmt.Sprint(hang.at.UnixMicro())}}},
	}
	return []Request{{Method: http.MethodPost, Query: "uuid=a_" + s.ID, Header: jsonHeader(), Body: asJSON(body), Type: "cdr", At: hang.at}}
}

func micro(t time.Time, set bool) int64 {
	if !set {
		return 0
	}
	return t.UnixMicro()
}

// vonageRequests is Vonage's event webhook.
func vonageRequests(s Script, steps []step) (out []Request) {
	direction := "inbound"
	if s.outbound() {
		direction = "outbound"
	}
	add := func(status string, at time.Time, more map[string]any) {
		body := map[string]any{"from": bare(s.from()), "to": bare(s.to()), "uuid": s.ID, "conversation_uuid": "CON-" + s.ID, "status": status,
			"direction": direction, "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z")}
		for k, v := range more {
			body[k] = v
		}
		out = append(out, Request{Method: http.MethodPost, Header: jsonHeader(), Body: asJSON(body), Type: status, At: at})
	}
	answered := false
	for _, st := range steps {
		switch {
		case st.kind == "start":
			add("started", st.at, nil)
		case st.kind == "ring" && st.leg != s.ID+"-b":
			add("ringing", st.at, nil)
		case st.kind == "answer" && !answered:
			answered = true
			add("answered", st.at, nil)
		case st.kind == "hangup" && st.leg == "":
			status := "completed"
			if !answered {
				status = "unanswered"
			}
			add(status, st.at, map[string]any{"end_time": st.at.UTC().Format("2006-01-02T15:04:05.000Z"), "duration": strconv.Itoa(s.TalkSeconds()), "rate": "0.01",
				"price": "0.02", "network": "CN-FIXED"})
		case st.kind == "recording":
			out = append(out, Request{Method: http.MethodPost, Header: jsonHeader(), Type: "record", At: st.at, Body: asJSON(map[string]any{
				"start_time": s.Start.UTC().Format(time.RFC3339), "recording_url": st.url, "size": 8044, "recording_uuid": "REC-" + s.ID,
				"end_time": st.at.UTC().Format(time.RFC3339), "conversation_uuid": "CON-" + s.ID, "timestamp": st.at.UTC().Format("2006-01-02T15:04:05.000Z")})})
		}
	}
	return out
}

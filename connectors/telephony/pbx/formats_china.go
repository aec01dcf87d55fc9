package pbx

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// tcccRequests is 腾讯云联络中心: the call's record, then its recording or voicemail.
func tcccRequests(s Script, steps []step) []Request {
	hang, ok := find(steps, "hangup")
	if !ok {
		return nil
	}
	push := func(at time.Time, action, id, body string) Request {
		h := jsonHeader()
		h.Set("X-TCCC-PUSH-UUID", id)
		return Request{Method: http.MethodPost, Query: "action=" + action + "&version=1", Header: h, Body: body, ID: id, Type: action, At: at}
	}
	answer, answered := find(steps, "answer")
	queue, queued := find(steps, "queue")
	unix := func(st step, set bool) int64 {
		if !set {
			return 0
		}
		return st.at.Unix()
	}
	ring, rang := find(steps, "ring")
	direction, status := 0, "ok"
	if s.outbound() {
		direction = 1
	}
	switch {
	case s.Scenario == Abandoned:
		status = "abandonedInQueue"
	case s.Scenario == Voicemail:
		status = "voicemail"
	case !answered:
		status = "ringTimeout"
	}
	cdr := map[string]any{"SdkAppId": 1400264214, "SessionId": s.ID, "Caller": s.from(), "Callee": s.to(), "Direction": direction, "CallType": direction + 1,
		"Duration": s.TalkSeconds(), "CallerLocation": "北京", "IVRDuration": 1, "StartTimestamp": s.Start.Unix(), "QueuedTimestamp": unix(queue, queued),
		"RingTimestamp": unix(ring, rang), "AcceptTimestamp": unix(answer, answered), "EndedTimestamp": hang.at.Unix(), "HungUpSide": "user",
		"EndStatusString": status, "QueuedSkillGroupName": s.Queue, "QueuedSkillGroupId": 7, "RecordId": "", "Uui": ""}
	if queued {
		cdr["IVRKeyPressed"], cdr["IVRKeyPressedEx"] = []string{"1"}, []map[string]string{{"Key": "1", "Label": "售后"}}
	}
	if answered {
		cdr["SeatUser"] = map[string]any{"Name": "客服" + lastAgent(s, steps), "Mail": lastAgent(s, steps) + "@shop.test", "Phone": lastAgent(s, steps), "UserId": lastAgent(s, steps)}
	}
	out := []Request{push(hang.at, "cdr", s.ID+"-cdr", asJSON(cdr))}
	for _, st := range steps {
		body := map[string]any{"SdkAppId": 1400264214, "SessionId": s.ID, "Timestamp": st.at.Unix(), "RecordURL": st.url}
		switch st.kind {
		case "recording":
			body["RecordId"], body["EndpointUser"] = "rec-"+s.ID, lastAgent(s, steps)+"@shop.test"
			out = append(out, push(st.at, "record", s.ID+"-record", asJSON(body)))
		case "voicemail":
			body["EndpointUser"] = 1001 // a number where others are texts: seen in their own sample
			out = append(out, push(st.at, "voicemail", s.ID+"-voicemail", asJSON(body)))
		}
	}
	return out
}

func lastAgent(s Script, steps []step) string {
	agent := s.Agent
	for _, st := range steps {
		if st.kind == "answer" {
			agent = st.agent
		}
	}
	return agent
}

// aliyunRequests is 阿里云云联络中心 2.0: events by webhook.
func aliyunRequests(s Script, steps []step) (out []Request) {
	callType := "INBOUND"
	if s.outbound() {
		callType = "OUTBOUND"
	}
	add := func(event string, st step, more ...any) {
		body := map[string]any{"eventTime": st.at.UTC().Format("2006-01-02T15:04:05Z"), "eventType": event, "instanceId": "ccc-test", "contactId": s.ID,
			"callType": callType, "caller": bare(s.from()), "callee": bare(s.to()), "mediaType": "AUDIO"}
		if st.agent != "" {
			body["agentId"], body["channelId"] = st.agent+"@ccc-test", "ch-"+s.ID+"-"+st.agent
		}
		for i := 0; i+1 < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		out = append(out, Request{Method: http.MethodPost, Header: jsonHeader(), Body: asJSON(body), Type: event, At: st.at})
	}
	for _, st := range steps {
		switch st.kind {
		case "start":
			add("Dialing", step{at: st.at})
		case "ivr":
			add("IvrTracking", st, "nodeName", "主菜单", "dtmf", "1")
		case "queue":
			add("Queueing", st, "skillGroupId", s.Queue)
		case "ring":
			add("AgentRinging", st, "skillGroupId", s.Queue)
		case "answer":
			add("Established", st, "skillGroupId", s.Queue)
		case "hangup":
			if st.leg != "" {
				continue
			}
			event := "Released"
			if s.Scenario == Abandoned || s.Scenario == Missed || s.Scenario == Voicemail {
				event = "Abandoned"
			}
			add(event, step{at: st.at}, "releaseInitiator", "customer", "releaseReason", st.cause)
		case "recording":
			add("RecordingReady", step{at: st.at}, "recordingUrl", st.url, "duration", int(st.took/time.Second))
		case "voicemail":
			add("VoicemailReady", step{at: st.at}, "recordingUrl", st.url, "duration", int(st.took/time.Second))
		}
	}
	return out
}

// clinkRequests is 天润融通's record, as parameters of a GET.
func clinkRequests(s Script, steps []step) []Request {
	hang, ok := find(steps, "hangup")
	if !ok {
		return nil
	}
	unix := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	callType := "1"
	if s.outbound() {
		callType = "4"
	}
	v := url.Values{"cdr_main_unique_id": {s.ID}, "cdr_enterprise_id": {"3000000"}, "cdr_customer_number": {"0" + strings.TrimPrefix(bare(s.Customer), "86")},
		"cdr_customer_area_code": {"010"}, "cdr_customer_number_type": {"2"}, "cdr_start_time": {unix(s.Start)}, "cdr_answer_time": {unix(s.Start)},
		"cdr_end_time": {unix(hang.at)}, "cdr_call_type": {callType}, "cdr_status": {"24"}, "cdr_mark": {""}, "cdr_number_trunk": {strings.TrimPrefix(bare(s.Line), "86")},
		"cdr_bridged_cno": {lastAgent(s, steps)}, "cdr_queue": {s.Queue}}
	if answer, ok := find(steps, "answer"); ok {
		v.Set("cdr_bridge_time", unix(answer.at))
		v.Set("cdr_status", "28")
	}
	if s.Scenario == Voicemail {
		v.Set("cdr_mark", "1")
	}
	for _, st := range steps {
		if st.kind == "recording" || st.kind == "voicemail" {
			v.Set("cdr_record_file", strings.TrimPrefix(relative(st.url), "/"))
		}
	}
	return []Request{{Method: http.MethodGet, Query: v.Encode(), Type: "cdr", At: hang.at}}
}

// relative is an address without its host.
func relative(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Path
}

// moorRequests is a GET per event with the words of 容联七陌.
func moorRequests(s Script, steps []step) (out []Request) {
	callType := "normal"
	if s.outbound() {
		callType = "dialout"
	}
	answer, answered := find(steps, "answer")
	state := map[string]string{Missed: "notDeal", Abandoned: "queueLeak", Voicemail: "voicemail"}[s.Scenario]
	if state == "" {
		state = "dealing"
	}
	ring := s.Start
	if st, ok := find(steps, "ring"); ok {
		ring = st.at
	}
	add := func(at time.Time, callState string, more ...string) {
		v := url.Values{"CallSheetID": {s.ID}, "CallNo": {strings.TrimPrefix(bare(s.from()), "86")}, "CalledNo": {strings.TrimPrefix(bare(s.to()), "86")},
			"CallType": {callType}, "CallState": {callState}, "RingTime": {stamp(ring)}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		out = append(out, Request{Method: http.MethodGet, Query: v.Encode(), Type: callState, At: at})
	}
	for _, st := range steps {
		switch {
		case st.kind == "queue":
			add(st.at, "Queue", "QueueTime", stamp(st.at), "QueueName", s.Queue)
		case st.kind == "ring":
			add(st.at, "Ring", "Exten", st.agent)
		case st.kind == "answer":
			add(st.at, "Link", "Exten", st.agent, "Begin", stamp(st.at))
		}
	}
	last := []string{"State", state, "Exten", lastAgent(s, steps)}
	for _, st := range steps {
		switch {
		case st.kind == "hangup" && st.leg == "":
			last = append(last, "End", stamp(st.at))
		case st.kind == "recording" || st.kind == "voicemail":
			host, file := cutHost(st.url)
			last = append(last, "FileServer", host, "RecordFile", strings.TrimPrefix(file, "/"))
		}
	}
	if answered {
		last = append(last, "Begin", stamp(answer.at))
	}
	add(s.Ended(), "Hangup", last...)
	return out
}

// cutHost splits an address into what stands before its path, and the path.
func cutHost(address string) (string, string) {
	u, err := url.Parse(address)
	if err != nil {
		return address, ""
	}
	return u.Scheme + "://" + u.Host, u.Path
}

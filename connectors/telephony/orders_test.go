package telephony

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearback/connectors"
	"hearback/desk"
)

const began = int64(1_780_000_000) // unix seconds of the calls played here

// told are calls as each provider tells them, and what they are.
var told = []struct {
	name, format string
	requests     []string // "query body", the query with a leading "?" when there is one
	outcome      string
	agent        string
	talk         int
	customer     string
}{
	{"generic", "generic", []string{
		`{"type":"ringing","call_id":"c1","occurred_at":1780000000,"direction":"inbound","from":"+8613800138000","to":{"did":"+861064368888"},"agent":["101","102"],"queue":"售后"}`,
		`{"type":"answered","call_id":"c1","occurred_at":1780000005,"direction":"inbound","from":"13800138000","agent":{"ext":"102","name":"王芳"}}`,
		`{"type":"hangup","call_id":"c1","occurred_at":1780000065,"direction":"inbound","from":"+8613800138000","hangup":{"cause":"normal","by":"customer"}}`,
		`{"type":"recording","call_id":"c1","occurred_at":1780000070,"recording":{"id":"r1","url":"https://pbx.example/r1.mp3"}}`,
	}, "answered", "102", 60, "+8613800138000"},
	{"generic, missed", "generic", []string{
		`{"type":"call.ringing","timestamp":"2026-05-28T20:26:40Z","data":{"call_id":"c2","direction":"in","from":"01064368888"}}`,
		`{"type":"call.ivr","timestamp":"2026-05-28T20:26:45Z","data":{"call_id":"c2","direction":"in","from":"01064368888","ivr":[{"key":"1","label":"退款"}]}}`,
		`{"type":"call.hangup","timestamp":"2026-05-28T20:26:59Z","data":{"call_id":"c2","direction":"in","from":"01064368888"}}`,
	}, "missed", "", 0, "+861064368888"},
	{"generic, two legs", "generic", []string{
		`{"type":"ringing","call_id":"c3","occurred_at":1780000000,"direction":"inbound","from":"+8613800138000"}`,
		`{"type":"ringing","call_id":"leg-a","parent_call_id":"c3","occurred_at":1780000001,"agent":"101"}`,
		`{"type":"answered","call_id":"leg-a","parent_call_id":"c3","occurred_at":1780000004,"agent":"101"}`,
		`{"type":"hangup","call_id":"leg-a","parent_call_id":"c3","occurred_at":1780000034}`,
		`{"type":"hangup","call_id":"c3","occurred_at":1780000034,"direction":"inbound"}`,
	}, "answered", "101", 30, "+8613800138000"},
	{"zammad", "zammad", []string{
		`{"event":"newCall","from":"493023125741","to":"492214710334","direction":"in","callId":"307fa962","user":["Christopher Miller","Emma Taylor"]}`,
		`{"event":"answer","from":"493023125741","to":"492214710334","direction":"in","callId":"307fa962","user":"Emma Taylor","answeringNumber":"emma@chrispresso.com"}`,
		`event=hangup&from=493023125741&to=492214710334&direction=in&callId=307fa962&user%5B%5D=Emma+Taylor&cause=normalClearing`,
	}, "answered", "Emma Taylor", 0, "+493023125741"},
	{"zammad, hang-up alone", "zammad", []string{
		`{"event":"hangup","from":"13800138000","to":"01064368888","direction":"in","callId":"h1","cause":"cancel"}`,
	}, "missed", "", 0, "+8613800138000"},
	{"zammad, forwarded", "zammad", []string{
		`event=newCall&from=13800138000&to=01064368888&direction=in&callId=f1`,
		`event=hangup&from=13800138000&to=01064368888&direction=in&callId=f1&cause=forwarded`,
	}, "forwarded", "", 0, "+8613800138000"},
	{"sipgate", "sipgate", []string{
		`event=newCall&direction=in&from=8613800138000&to=861064368888&callId=s1&user%5B%5D=Alice&user%5B%5D=Bob&userId%5B%5D=w0&userId%5B%5D=w1`,
		`event=dtmf&callId=s1&dtmf=1&direction=in&from=8613800138000&to=861064368888`,
		`event=answer&direction=in&from=8613800138000&to=861064368888&callId=s1&user=Bob&userId=w1&answeringNumber=861064368888`,
		`event=hangup&direction=in&from=8613800138000&to=861064368888&callId=s1&cause=normalClearing`,
	}, "answered", "Bob", 0, "+8613800138000"},
	{"placetel", "placetel", []string{
		`event=IncomingCall&from=022129191999&to=022129191900&call_id=f4591ba3`,
		`event=CallAccepted&from=022129191999&to=022129191900&call_id=f4591ba3&peer=7777abcdefg%40fpbx.de`,
		`event=HungUp&from=022129191999&to=022129191900&call_id=f4591ba3&type=accepted&duration=42&direction=in`,
	}, "answered", "7777abcdefg@fpbx.de", 42, "+8622129191999"},
	{"placetel, voicemail", "placetel", []string{
		`event=IncomingCall&from=anonymous&to=022129191900&call_id=a1`,
		`event=HungUp&from=anonymous&to=022129191900&call_id=a1&type=voicemail`,
	}, "voicemail", "", 0, ""},
	{"twilio", "twilio", []string{
		`CallSid=CA1&AccountSid=AC1&From=%2B8613800138000&To=%2B14158675309&CallStatus=ringing&Direction=inbound&SequenceNumber=0&Timestamp=Thu%2C+28+May+2026+20%3A26%3A40+%2B0000`,
		`CallSid=CA1&AccountSid=AC1&From=%2B8613800138000&To=%2B14158675309&CallStatus=in-progress&Direction=inbound&SequenceNumber=1&Timestamp=Thu%2C+28+May+2026+20%3A26%3A45+%2B0000`,
		`CallSid=CA1&AccountSid=AC1&From=%2B8613800138000&To=%2B14158675309&CallStatus=completed&Direction=inbound&SequenceNumber=2&Timestamp=Thu%2C+28+May+2026+20%3A27%3A45+%2B0000&CallDuration=60`,
		`CallSid=CA1&AccountSid=AC1&RecordingSid=RE1&RecordingUrl=https%3A%2F%2Fapi.twilio.example%2FRE1&RecordingStatus=completed&RecordingDuration=58&RecordingSource=DialVerb`,
	}, "answered", "", 60, "+8613800138000"},
	{"twilio, nobody took the dialled leg", "twilio", []string{
		`CallSid=CA2&From=%2B8613800138000&To=%2B14158675309&CallStatus=in-progress&Direction=inbound`,
		`CallSid=CA2b&ParentCallSid=CA2&From=%2B8613800138000&To=client%3Aalice&CallStatus=ringing&Direction=outbound-dial`,
		`CallSid=CA2b&ParentCallSid=CA2&From=%2B8613800138000&To=client%3Aalice&CallStatus=no-answer&Direction=outbound-dial`,
		`CallSid=CA2&From=%2B8613800138000&To=%2B14158675309&CallStatus=completed&Direction=inbound&CallDuration=31`,
	}, "missed", "", 0, "+8613800138000"},
	{"freeswitch, two legs", "freeswitch", []string{
		`{"variables":{"uuid":"u1","call_uuid":"u1","direction":"inbound","caller_id_number":"%2B8613800138000","destination_number":"1000","start_epoch":"1780000000","answer_epoch":"1780000004","end_epoch":"1780000064","billsec":"60","hangup_cause":"NORMAL_CLEARING","bridge_uuid":"u2","sip_hangup_disposition":"recv_bye"}}`,
		`{"variables":{"uuid":"u2","call_uuid":"u1","direction":"outbound","caller_id_number":"%2B8613800138000","destination_number":"1001","dialed_user":"1001","start_epoch":"1780000001","answer_epoch":"1780000004","end_epoch":"1780000064","billsec":"60","hangup_cause":"NORMAL_CLEARING"}}`,
	}, "answered", "1001", 60, "+8613800138000"},
	{"tccc", "tccc", []string{
		`?action=cdr&version=1 {"SdkAppId":1400264214,"SessionId":"e97be0ab","Caller":"008613800138000","Callee":"01064368888","Direction":0,"CallType":2,"Duration":60,"SeatUser":{"Mail":"lululing@tencent.com","Name":"王芳","UserId":"lululing@tencent.com","StaffNumber":"1001"},"StartTimestamp":1780000000,"QueuedTimestamp":1780000002,"RingTimestamp":1780000003,"AcceptTimestamp":1780000005,"EndedTimestamp":1780000065,"IVRKeyPressedEx":[{"Key":"1","Label":"售后"}],"HungUpSide":"user","EndStatusString":"ok","QueuedSkillGroupName":"售后","PostIVRKeyPressed":[{"Key":"1","Label":"非常满意"}],"RecordId":"1608130650"}`,
		`?action=record&version=1 {"SdkAppId":1400264214,"RecordId":"1608130650","SessionId":"e97be0ab","Timestamp":1780000070,"EndpointUser":"lululing@tencent.com","RecordURL":"http://record.example/1.mp3"}`,
	}, "answered", "王芳", 60, "+8613800138000"},
	{"tccc, voicemail", "tccc", []string{
		`?action=cdr&version=1 {"SessionId":"v1","Caller":"13800138000","Callee":"01064368888","Direction":0,"StartTimestamp":1780000000,"EndedTimestamp":1780000030,"AcceptTimestamp":0,"EndStatusString":"notWorkTime"}`,
		`?action=voicemail&version=1 {"SessionId":"v1","Timestamp":1780000031,"RecordURL":"http://record.example/v.mp3","EndpointUser":13800138000}`,
	}, "voicemail", "", 0, "+8613800138000"},
	{"aliyun", "aliyun", []string{
		`{"eventType":"Ringing","eventTime":"2026-05-28T20:26:40.447Z","instanceId":"i","contactId":"job-1","channelId":"ch-1","callType":"INBOUND","mediaType":"Audio","caller":"13800138000","callee":"01064368888","agentId":"test@report-test-2"}`,
		`{"eventType":"Established","eventTime":"2026-05-28T20:26:45.447Z","instanceId":"i","contactId":"job-1","channelId":"ch-1","callType":"INBOUND","mediaType":"Audio","caller":"13800138000","agentId":"test@report-test-2"}`,
		`{"eventType":"Released","eventTime":"2026-05-28T20:27:45.447Z","instanceId":"i","contactId":"job-1","channelId":"ch-1","callType":"INBOUND","mediaType":"Audio","caller":"13800138000","releaseInitiator":"customer"}`,
		`{"eventType":"RecordingReady","eventTime":"2026-05-28T20:28:00.000Z","instanceId":"i","contactId":"job-1","channelId":"ch-1","data":{"recordingUrl":"https://oss.example/1.wav"}}`,
	}, "answered", "test@report-test-2", 60, "+8613800138000"},
	{"aliyun, batched reports", "aliyun", []string{
		`[{"call_id":"100001616500^1","status_code":"200101","status_time":"2026-05-29 04:26:40","caller":"01064368888","callee":"13800138000","out_id":"1"},{"call_id":"100001616500^1","status_code":"200102","status_time":"2026-05-29 04:26:45","caller":"01064368888","callee":"13800138000"}]`,
		`[{"call_id":"100001616500^1","status_code":"200100","status_time":"2026-05-29 04:27:45","caller":"01064368888","callee":"13800138000"}]`,
		`[{"call_id":"100001616500^1","originate_time":"2026-05-29 04:26:40","start_time":"2026-05-29 04:26:45","end_time":"2026-05-29 04:27:45","duration":"60","caller":"01064368888","callee":"13800138000","status_code":"200000","hangup_direction":"用户"}]`,
	}, "answered", "", 60, "+8613800138000"},
}

// channelOf opens a channel of a format with working secrets.
func channelOf(t testing.TB, format string, now func() time.Time) *Connector {
	t.Helper()
	secret := map[string]string{"twilio": "12345", "placetel": "shared"}[format]
	if secret == "" {
		secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	}
	ch := desk.Channel{ID: "channel-1", Kind: kindName, Settings: map[string]string{"format": format, "secret": secret, "token": "0123456789abcdef0123", "country": "CN", "area_code": "010"}}
	c, err := Open(t.Context(), ch, connectors.Tools{Now: now, PublicURL: "https://desk.test", Address: "https://desk.test/c/channel-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// requestOf makes a signed request of a text of told. The same text is told again with the same id.
func requestOf(t interface{ Fatal(...any) }, c *Connector, n int, text string) *request {
	req := &request{Method: http.MethodPost, Type: "application/x-www-form-urlencoded", At: desk.At(c.tools.Now()), Header: http.Header{}}
	if query, body, ok := strings.Cut(text, " "); ok && text[0] == '?' {
		req.Query, text = query[1:], body
	}
	if text[0] == '{' || text[0] == '[' {
		req.Type = "application/json"
	}
	req.Body = []byte(text)
	if _, named := c.format.(namer); named {
		req.ID = fmt.Sprint("id-", n)
	}
	d := &door{secret: c.ch.Settings["secret"], token: c.ch.Settings["token"], tokenSeen: true, urls: []string{c.tools.Address}, now: req.At}
	if err := sign(c.set.format, d, req); err != nil {
		t.Fatal(err)
	}
	if ref := c.format.verify(d, req); ref != nil {
		t.Fatal(ref.detail)
	}
	return req
}

// hear plays requests in an order through the door, the inbox' doubles, Decode and the fold.
func hear(t interface{ Fatal(...any) }, c *Connector, texts []string, order []int) (desk.Call, string) {
	var call desk.Call
	customer, seen := "", map[string]bool{}
	for _, n := range order {
		envelopes, ref := c.read(requestOf(t, c, n, texts[n]))
		if ref != nil {
			t.Fatal(ref.detail)
		}
		for _, e := range envelopes {
			if seen[e.ExternalID] {
				continue
			}
			seen[e.ExternalID] = true
			inbounds, err := Decode(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range inbounds {
				call.ID = in.Call.ID
				call = call.With(in.Call.Event)
				if in.Call.Customer != "" {
					customer = in.Call.Customer
				}
			}
		}
	}
	return call, customer
}

func still() time.Time { return time.Unix(began+100, 0) }

func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestEachFormatTellsItsCalls(t *testing.T) {
	for _, w := range told {
		c := channelOf(t, w.format, still)
		call, customer := hear(t, c, w.requests, inOrder(len(w.requests)))
		if call.State != "ended" || call.Outcome != w.outcome || call.Agent != w.agent || call.TalkSeconds != w.talk || customer != w.customer {
			b, _ := json.MarshalIndent(call, "", " ")
			t.Errorf("%s: %s %s by %q, %d s, customer %s\n%s", w.name, call.State, call.Outcome, call.Agent, call.TalkSeconds, customer, b)
		}
	}
}

// orders returns all orders of the given numbers.
func orders(ns []int) [][]int {
	if len(ns) < 2 {
		return [][]int{slices.Clone(ns)}
	}
	var out [][]int
	for i := range ns {
		for _, rest := range orders(slices.Concat(ns[:i], ns[i+1:])) {
			out = append(out, append([]int{ns[i]}, rest...))
		}
	}
	return out
}

// TestEveryOrderAndRepetitionGivesTheSameCall: in each format, with any one event lost too.
func TestEveryOrderAndRepetitionGivesTheSameCall(t *testing.T) {
	for _, w := range told {
		c := channelOf(t, w.format, still)
		for lost := -1; lost < len(w.requests); lost++ {
			left := slices.DeleteFunc(inOrder(len(w.requests)), func(n int) bool { return n == lost })
			if len(left) == 0 {
				continue
			}
			call, customer := hear(t, c, w.requests, left)
			want, _ := json.Marshal(call)
			for i, order := range orders(left) {
				again := append(order, left[i%len(left)], order[0]) // every one is told twice in some of them
				got, who := hear(t, c, w.requests, again)
				if b, _ := json.Marshal(got); string(b) != string(want) || who != customer {
					t.Fatalf("%s without %d in the order %v:\n%s %s\nwant\n%s %s", w.name, lost, again, b, who, want, customer)
				}
			}
		}
	}
}

// TestOrderOfArrivalDecidesNoOutcome lets the clock go on between the events, so that those without a time get another one in each
// order.
func TestOrderOfArrivalDecidesNoOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(told).Draw(t, "call")
		clock := time.Unix(began+100, 0)
		c := &Connector{set: readSettings(map[string]string{"format": w.format, "area_code": "010"}), tools: connectors.Tools{Address: "https://desk.test/c/1", Now: func() time.Time {
			clock = clock.Add(time.Second)
			return clock
		}}}
		c.ch.Settings = map[string]string{"secret": "dGVzdA==", "token": "0123456789abcdef", "format": w.format, "area_code": "010"}
		c.meta = map[string]string{"format": w.format, "area_code": "010"}
		var err error
		if c.format, err = formatOf(c.set); err != nil {
			t.Fatal(err)
		}
		straight, who := hear(t, c, w.requests, inOrder(len(w.requests)))
		order := rapid.Permutation(append(inOrder(len(w.requests)), rapid.SliceOfN(rapid.IntRange(0, len(w.requests)-1), 0, 4).Draw(t, "again")...)).Draw(t, "order")
		got, customer := hear(t, c, w.requests, order)
		if got.State != straight.State || got.Outcome != straight.Outcome || got.Direction != straight.Direction || got.From != straight.From || got.Cause != straight.Cause ||
			got.Agent != straight.Agent || got.Recordings != straight.Recordings || customer != who {
			t.Fatalf("%s in the order %v: %+v\nstraight: %+v", w.name, order, got, straight)
		}
		if got.EndedAt < got.StartedAt || got.TalkSeconds < 0 || got.RingSeconds < 0 {
			t.Fatalf("%s: times run backwards: %+v", w.name, got)
		}
	})
}

func TestTheTestOfAChannelPlaysACall(t *testing.T) {
	for _, format := range []string{"generic", "zammad", "sipgate", "placetel", "twilio", "freeswitch", "tccc", "aliyun"} {
		c := channelOf(t, format, still)
		call, err := c.play(desk.At(still()))
		if err != nil || call == nil || call.TalkSeconds != 60 && format != "zammad" && format != "sipgate" && format != "placetel" || call.From != "+8613800138000" {
			t.Errorf("%s: %v, %+v", format, err, call)
		}
	}
}

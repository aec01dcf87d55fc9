package telephony

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hearback/connectors"
	"hearback/desk"
)

// test plays a call through the channel's own format and secrets, from the signed request to the folded call, without keeping it; then
// it asks the callback address, when there is one. What the call became stands in the live log.
func test(ctx context.Context, ch desk.Channel, tools connectors.Tools) error {
	c, err := Open(ctx, ch, tools)
	if err != nil {
		return err
	}
	defer c.Close()
	call, err := c.play(desk.At(tools.Now()))
	if err != nil {
		return fmt.Errorf("play a call: %w", err)
	}
	if call != nil {
		c.note(connectors.Note{What: "test", Ref: call.ID, Detail: fmt.Sprintf("A played call became: %s, %s, talked %d s.", call.Direction, call.Outcome, call.TalkSeconds)})
	}
	return c.testCallback(ctx)
}

// play makes a call of requests as the provider would send them; nil for profiles, whose requests only the provider knows.
func (c *Connector) play(now desk.Time) (*desk.Call, error) {
	call := desk.Call{ID: "hearback-test"}
	requests := samples(c.set.format, now)
	for _, req := range requests {
		d := &door{secret: c.ch.Settings["secret"], token: c.ch.Settings["token"], tokenSeen: c.ch.Settings["token"] != "", urls: []string{c.tools.Address}, now: now}
		if err := sign(c.set.format, d, req); err != nil {
			return nil, err
		}
		if ref := c.format.verify(d, req); ref != nil {
			return nil, ref
		}
		envelopes, ref := c.read(req)
		if ref != nil {
			return nil, ref
		}
		for _, e := range envelopes {
			inbounds, err := Decode(e)
			if err != nil {
				return nil, err
			}
			for _, in := range inbounds {
				call = call.With(in.Call.Event)
			}
		}
	}
	if len(requests) == 0 {
		return nil, nil
	}
	if call.State != "ended" || call.Outcome != "answered" {
		return nil, fmt.Errorf("it ended as %s %s instead of answered", call.State, call.Outcome)
	}
	return &call, nil
}

// samples are the requests of a call that rings, is answered after five seconds and lasts a minute.
func samples(format string, now desk.Time) []*request {
	start := now.Std().Add(-65 * time.Second).Unix()
	unix := func(s int64) string { return strconv.FormatInt(start+s, 10) }
	fill := strings.NewReplacer("$0", unix(0), "$5", unix(5), "$T0", stamp(start), "$T5", stamp(start+5), "$TEND", stamp(start+65), "$END", unix(65))
	kind, bodies := "application/json", sampleBodies[format]
	if len(bodies) > 0 && !strings.HasPrefix(bodies[0], "{") && !strings.HasPrefix(bodies[0], "[") {
		kind = "application/x-www-form-urlencoded"
	}
	var out []*request
	for i, b := range bodies {
		req := &request{Method: http.MethodPost, Type: kind, Body: []byte(fill.Replace(b)), At: now, Header: http.Header{}}
		if format == "tccc" {
			req.Query = "action=cdr&version=1"
		}
		if format == "generic" || format == "tccc" {
			req.ID = "hearback-test-" + strconv.Itoa(i)
		}
		out = append(out, req)
	}
	return out
}

func stamp(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

const (
	sampleCTI  = "&from=8613800138000&to=861064368888&direction=in&callId=hearback-test"
	sampleCall = "&CallSid=hearback-test&From=%2B8613800138000&To=%2B861064368888&Direction=inbound"
)

// sampleBodies are what each provider would send; $0, $5, $END are unix seconds, $T… the same as RFC 3339.
var sampleBodies = map[string][]string{
	"generic": {
		`{"type":"ringing","call_id":"hearback-test","occurred_at":"$T0","direction":"inbound","from":"+8613800138000","to":"+861064368888"}`,
		`{"type":"answered","call_id":"hearback-test","occurred_at":"$T5","agent":"101"}`,
		`{"type":"hangup","call_id":"hearback-test","occurred_at":"$TEND"}`,
	},
	"zammad":   {"event=newCall" + sampleCTI, "event=answer" + sampleCTI, "event=hangup&cause=normalClearing" + sampleCTI},
	"sipgate":  {"event=newCall" + sampleCTI, "event=answer" + sampleCTI, "event=hangup&cause=normalClearing" + sampleCTI},
	"placetel": {"event=IncomingCall&call_id=hearback-test&from=8613800138000&to=861064368888", "event=CallAccepted&call_id=hearback-test&peer=101", "event=HungUp&call_id=hearback-test&type=accepted"},
	"twilio":   {"CallStatus=ringing" + sampleCall, "CallStatus=in-progress" + sampleCall, "CallStatus=completed&CallDuration=60" + sampleCall},
	"freeswitch": {`{"variables":{"uuid":"hearback-test","direction":"inbound","caller_id_number":"13800138000","destination_number":"101",` +
		`"start_epoch":"$0","answer_epoch":"$5","end_epoch":"$END","billsec":"60","hangup_cause":"NORMAL_CLEARING"}}`},
	"tccc": {`{"SessionId":"hearback-test","Caller":"008613800138000","Callee":"01064368888","Direction":0,"StartTimestamp":$0,"AcceptTimestamp":$5,"EndedTimestamp":$END,` +
		`"Duration":60,"EndStatusString":"ok","HungUpSide":"user","SeatUser":{"Name":"101"}}`},
	"aliyun": {
		`{"eventType":"Ringing","eventTime":"$T0","contactId":"hearback-test","callType":"INBOUND","caller":"13800138000","callee":"01064368888"}`,
		`{"eventType":"Established","eventTime":"$T5","contactId":"hearback-test","callType":"INBOUND","agentId":"101"}`,
		`{"eventType":"Released","eventTime":"$TEND","contactId":"hearback-test","callType":"INBOUND"}`,
	},
}

// sign does what the provider does to prove itself.
func sign(format string, d *door, r *request) error {
	switch format {
	case "generic":
		keys, err := webhookKeys(d.secret)
		if err != nil {
			return fmt.Errorf("secret: %w", err)
		}
		signature, err := keys[0].Sign(r.ID, d.now.Std(), r.Body)
		if err != nil {
			return errors.New("secret: it cannot sign")
		}
		r.Header.Set(standardwebhooks.HeaderWebhookID, r.ID)
		r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(d.now.Std().Unix(), 10))
		r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	case "twilio":
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return fmt.Errorf("read sample: %w", err)
		}
		r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(twilioMAC(d.secret, d.urls[0], form)))
	case "placetel":
		r.Header.Set("X-PLACETEL-SIGNATURE", hexMAC(d.secret, r.Body))
	case "freeswitch", "tccc", "aliyun":
		if d.secret != "" {
			pair := d.secret
			if !strings.Contains(pair, ":") {
				pair = "hearback:" + pair
			}
			r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		}
	}
	return nil
}

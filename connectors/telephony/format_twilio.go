package telephony

import (
	"net/http"
	"net/url"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// twilio is Twilio Voice, and what others send in its shape (SignalWire, TeXML): forms signed over the address. One call is its own
// CallSid; the legs it dials name it as their parent.
type twilio struct{}

func (twilio) verify(d *door, r *request) *refusal { return verifyTwilio(d, r) }

var twilioStatus = map[string]string{"queued": desk.CallInitiated, "initiated": desk.CallInitiated, "ringing": desk.CallRinging, "inprogress": desk.CallAnswered,
	"answered": desk.CallAnswered, "completed": desk.CallHangup, "busy": desk.CallHangup, "failed": desk.CallHangup, "noanswer": desk.CallHangup,
	"canceled": desk.CallHangup, "cancelled": desk.CallHangup}

var twilioOutcomes = map[string]string{"completed": "answered", "answered": "answered", "busy": "busy", "failed": "failed", "noanswer": "missed", "canceled": "canceled",
	"cancelled": "canceled"}

func (twilio) read(s *settings, r *request) ([]report, error) {
	v, err := readValues(r)
	if err != nil {
		return nil, err
	}
	call, leg := v.get("CallSid"), ""
	if call == "" {
		return nil, unreadable("CallSid is missing: this is no callback of a call.")
	}
	if parent := v.get("ParentCallSid"); parent != "" {
		call, leg = parent, call
	}
	rep := report{Call: call, Event: desk.CallEvent{Leg: leg, From: v.get("From", "Caller"), To: v.get("To", "Called"), FromName: v.get("CallerName"), At: twilioTime(s, v)}}
	twilioParties(s, &rep, v)
	if f := v.get("ForwardedFrom"); f != "" {
		rep.Fields = map[string]string{"forwarded_from": f}
	}
	if !twilioEvent(s, &rep, v) {
		return nil, nil
	}
	if dialed := v.get("DialCallSid"); dialed != "" && v.get("DialCallStatus") != "" {
		e := desk.CallEvent{Type: desk.CallHangup, Leg: dialed, At: rep.Event.At, Outcome: oneOf(twilioOutcomes, v.get("DialCallStatus"))}
		if e.Outcome == "answered" {
			e.Seconds = wholeSeconds(v.get("DialCallDuration"))
		}
		rep.More = append(rep.More, e)
	}
	return []report{rep}, nil
}

// twilioEvent fills in what happened; false when it is nothing.
func twilioEvent(s *settings, rep *report, v values) bool {
	e := &rep.Event
	status := v.get("CallStatus")
	switch {
	case v.get("TranscriptionText") != "": // names its recording, too
		e.Type, e.Text = desk.CallTranscript, v.get("TranscriptionText")
	case v.get("RecordingUrl") != "" || v.get("RecordingSid") != "" && v.get("RecordingStatus") != "":
		return twilioRecording(s, rep, v)
	case v.get("SpeechResult") != "":
		e.Type, e.Text, e.Speaker = desk.CallTranscript, v.get("SpeechResult"), "customer"
	case v.get("Digits") != "":
		e.Type, e.Keys = desk.CallIVR, v.get("Digits")
	case v.get("QueueSid") != "" && v.get("QueueResult") == "":
		e.Type, e.Queue = desk.CallQueued, v.get("FriendlyName", "QueueName", "QueueSid")
	default:
		e.Type = oneOf(twilioStatus, status)
		if e.Type == desk.CallHangup {
			e.Outcome, e.Cause = oneOf(twilioOutcomes, status), firstOf(v.get("SipResponseCode"), status)
			if status == "completed" {
				e.Cause = ""
				e.Seconds = wholeSeconds(v.get("CallDuration"))
			}
		}
	}
	if e.Leg != "" && (e.Type == desk.CallRinging || e.Type == desk.CallAnswered || e.Type == desk.CallHangup) {
		e.Agents = []string{strings.TrimPrefix(v.get("To", "Called"), "client:")}
	}
	return e.Type != ""
}

// twilioRecording: what the Record verb takes down is a message left, all else a recording of the talk. The verb's own request
// names no source but the key that ended it.
func twilioRecording(s *settings, rep *report, v values) bool {
	address := v.get("RecordingUrl")
	if status := v.get("RecordingStatus"); address == "" || status != "" && status != "completed" {
		return false
	}
	e := &rep.Event
	e.Type, e.Seconds = desk.CallRecording, wholeSeconds(v.get("RecordingDuration"))
	if source := v.get("RecordingSource"); source == "RecordVerb" || source == "" && v.get("Digits") != "" {
		e.Type = desk.CallVoicemail
	}
	if at := moment(v.get("RecordingStartTime"), s.zone); at != 0 {
		e.At = at
	}
	rep.Recording = &recording{ID: v.get("RecordingSid"), Ref: address}
	return true
}

// twilioTime is the time of a callback. The requests of one second are put in order by their sequence number.
func twilioTime(s *settings, v values) desk.Time {
	at := moment(v.get("Timestamp"), s.zone)
	if at == 0 {
		return 0
	}
	return at + desk.Time(min(wholeSeconds(v.get("SequenceNumber")), 999))
}

// twilioParties tells who the customer is. Of a leg that was dialled from a call only the address of an agent's client says it.
func twilioParties(s *settings, rep *report, v values) {
	e := &rep.Event
	switch v.get("Direction") {
	case "inbound", "trunking-terminating":
		e.Direction = "inbound"
	case "outbound-api", "outbound", "trunking-originating":
		e.Direction = "outbound"
	}
	if e.Leg == "" {
		return
	}
	e.Direction = ""
	if _, number := s.e164(e.To); !number {
		rep.Customer = e.From
	}
}

func (twilio) taken(*settings, *request) connectors.Answer {
	a := xmlAnswer("<Response/>")
	a.Type = "text/xml; charset=utf-8"
	return a
}

func (twilio) refused(status int, detail string) connectors.Answer { return textAnswer(status, detail) }

// formParams are the parameters that a form signature covers; none of a JSON body.
func formParams(r *request) url.Values {
	if r.Method == http.MethodGet || strings.HasPrefix(strings.ToLower(strings.TrimSpace(r.Type)), "application/json") {
		return nil
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return nil
	}
	return form
}

package telephony

import (
	"bytes"
	"encoding/xml"
	"net/http"

	"hearback/connectors"
	"hearback/desk"
)

// sipgate is sipgate.io push: forms like Zammad's, answered in XML. The answer to newCall says where answer and hang-up are to be
// told; without it they are not.
type sipgate struct{}

func (sipgate) verify(d *door, _ *request) *refusal { return needToken(d) }

func (sipgate) read(_ *settings, r *request) ([]report, error) {
	v, err := readValues(r)
	if err != nil {
		return nil, err
	}
	return readCTI(v)
}

func (sipgate) taken(_ *settings, r *request) connectors.Answer {
	v, err := readValues(r)
	if err != nil || v.get("event") != "newCall" || r.URL == "" {
		return xmlAnswer("<Response/>")
	}
	var address bytes.Buffer
	xml.EscapeText(&address, []byte(r.URL))
	return xmlAnswer(`<Response onAnswer="` + address.String() + `" onHangup="` + address.String() + `"/>`)
}

func (sipgate) refused(status int, detail string) connectors.Answer {
	return textAnswer(status, detail)
}

func xmlAnswer(body string) connectors.Answer {
	return connectors.Answer{Status: http.StatusOK, Type: "application/xml; charset=utf-8", Body: `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + body}
}

func textAnswer(status int, detail string) connectors.Answer {
	return connectors.Answer{Status: status, Type: "text/plain; charset=utf-8", Body: detail}
}

// placetel is the Call Control and Notify API of Placetel: github.com/Placetel/call-control-notify-api.
type placetel struct{}

// verify takes the signature when the admin gave the shared secret, else the token in the address.
func (placetel) verify(d *door, r *request) *refusal {
	if !d.ownSecret() {
		return needToken(d)
	}
	if !signedHex(d.secret, r.Body, r.Header.Get("X-PLACETEL-SIGNATURE")) {
		return refuse(http.StatusUnauthorized, "The signature is not right: check the shared secret on both sides.")
	}
	return nil
}

// placetelEnds are the kinds of hang-up.
var placetelEnds = map[string]string{"missed": "missed", "voicemail": "voicemail", "blocked": "blocked", "accepted": "answered", "busy": "busy", "canceled": "canceled",
	"unavailable": "failed", "congestion": "failed"}

func (placetel) read(_ *settings, r *request) ([]report, error) {
	v, err := readValues(r)
	if err != nil {
		return nil, err
	}
	e := desk.CallEvent{From: v.get("from"), To: v.get("to"), Direction: oneOf(directions, v.get("direction"))}
	rep := report{Call: v.get("call_id", "callId")}
	if rep.Call == "" {
		return nil, unreadable("call_id is missing.")
	}
	var peer []string
	if p := v.get("peer"); p != "" {
		peer = []string{p}
	}
	switch v.get("event") {
	case "IncomingCall":
		e.Type, e.Direction, e.Agents = desk.CallRinging, "inbound", peer
	case "OutgoingCall":
		e.Type, e.Direction, e.Agents = desk.CallInitiated, "outbound", peer
	case "CallAccepted": // told of incoming calls; of outgoing ones it names the direction
		e.Type, e.Agents = desk.CallAnswered, peer
		if e.Direction == "" {
			e.Direction = "inbound"
		}
	case "HungUp":
		e.Type, e.Cause = desk.CallHangup, v.get("type")
		e.Outcome = oneOf(placetelEnds, e.Cause)
		if e.Outcome == "answered" {
			e.Seconds = wholeSeconds(v.get("duration"))
		}
	default:
		return nil, unreadable("event must be IncomingCall, OutgoingCall, CallAccepted or HungUp.")
	}
	if url := v.get("file_url", "voicemail_url", "recording_url"); url != "" {
		rep.Recording = &recording{Ref: url}
	}
	if e.Direction == "" {
		rep.Customer = "unknown" // who called whom is told by the other events
	}
	rep.Event = e
	return []report{rep}, nil
}

func (placetel) taken(*settings, *request) connectors.Answer { return xmlAnswer("<Response/>") }

func (placetel) refused(status int, detail string) connectors.Answer {
	return textAnswer(status, detail)
}

package telephony

import (
	"net/http"

	"hearback/connectors"
	"hearback/desk"
)

// zammad is Zammad's generic CTI, which many telephone systems speak: docs.zammad.org/en/latest/api/generic-cti. The token in the
// address is all the authentication there is. It tells no times.
type zammad struct{}

func (zammad) verify(d *door, _ *request) *refusal { return needToken(d) }

func (zammad) read(_ *settings, r *request) ([]report, error) {
	v, err := readValues(r)
	if err != nil {
		return nil, err
	}
	return readCTI(v)
}

// taken is {}: no caller is blocked and no caller id is set.
func (zammad) taken(*settings, *request) connectors.Answer {
	return connectors.Answer{Status: http.StatusOK, Type: "application/json; charset=utf-8", Body: "{}"}
}

func (zammad) refused(status int, detail string) connectors.Answer { return errorJSON(status, detail) }

// ctiCauses are the causes of a hang-up that say more than that it ended. normalClearing is told by many telephone systems for
// calls that nobody took, too: it proves no answer.
var ctiCauses = map[string]string{"busy": "busy", "cancel": "canceled", "noanswer": "missed", "congestion": "failed", "notfound": "failed", "forwarded": "forwarded",
	"voicemail": "voicemail", "blocked": "blocked"}

// readCTI reads the parameters that sipgate.io made common and Zammad took over.
func readCTI(v values) ([]report, error) {
	e := desk.CallEvent{From: v.get("from"), To: v.get("to"), Queue: v.get("queue"), Direction: oneOf(directions, v.get("direction"))}
	call := v.get("callId", "call_id")
	switch {
	case call == "":
		return nil, unreadable("callId is missing.")
	case v.get("event") != "dtmf" && v.get("event") != "hold" && e.Direction == "":
		return nil, unreadable("direction must be in or out.")
	}
	who := ctiUsers(v)
	switch v.get("event") {
	case "newCall":
		e.Type, e.Agents = desk.CallRinging, who
		if e.Direction == "outbound" {
			e.Type = desk.CallInitiated
		}
	case "answer":
		e.Type, e.Agents = desk.CallAnswered, who
	case "hangup":
		e.Type, e.Cause = desk.CallHangup, v.get("cause")
		e.Outcome = oneOf(ctiCauses, e.Cause)
	case "dtmf":
		e.Type, e.Keys = desk.CallIVR, v.get("dtmf")
	case "hold":
		return nil, nil
	default:
		return nil, unreadable("event must be newCall, answer or hangup.")
	}
	return []report{{Call: call, Event: e}}, nil
}

// ctiUsers are whose phones ring, or who took the call. answeringNumber names the one exactly where users name a group.
func ctiUsers(v values) []string {
	users, answering := v.all("user"), v.get("answeringNumber")
	if answering != "" && v.get("direction") != "out" {
		if len(users) == 1 {
			return []string{users[0], answering}
		}
		return []string{answering}
	}
	users = append(users, v.all("userId")...)
	return append(users, v.all("caller")...)
}

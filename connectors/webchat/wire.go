package webchat

import (
	"encoding/json"
	"strconv"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// said is what a visitor wrote, as kept in Envelope.Raw: his words and what was known of him then.
type said struct {
	ID       string  `json:"id"`
	ClientID string  `json:"client_msg_id"`
	Text     string  `json:"text,omitempty"`
	Files    []file  `json:"files,omitempty"`
	Who      profile `json:"who"`
	Page     string  `json:"page,omitempty"`
	Language string  `json:"language,omitempty"`
}

// A file is an attachment as the log keeps it.
type file struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Blob string `json:"blob"`
}

// A profile is who the visitor says he is, and what of it the host page has proven.
type profile struct {
	Name     string `json:"n,omitempty"`
	Email    string `json:"m,omitempty"`
	Phone    string `json:"p,omitempty"`
	Level    string `json:"l,omitempty"`  // only when proven
	External string `json:"s,omitempty"`  // the host page's own user id, only when proven
	Proven   bool   `json:"pr,omitempty"` // e-mail and phone were in the signed token
}

// answered is what was shown to the visitor beside his own words, as kept in the log.
type answered struct {
	From     string    `json:"from"` // agent, bot, system
	Name     string    `json:"name,omitempty"`
	Text     string    `json:"text,omitempty"`
	Files    []file    `json:"files,omitempty"`
	External string    `json:"ext,omitempty"` // the reply's external id, for receipts
	At       desk.Time `json:"at"`
}

// receipt is the raw form of "he has got it" and "he has read it".
type receipt struct {
	State desk.DeliveryState `json:"state"`
	IDs   []string           `json:"ids"`
}

// An event is one entry of the conversation as clients see it.
type event struct {
	Seq      int64       `json:"seq"`
	ID       string      `json:"id"`
	Type     string      `json:"type"`
	From     string      `json:"from"`
	Name     string      `json:"name"`
	Text     string      `json:"text"`
	ClientID string      `json:"client_msg_id,omitempty"`
	Files    []eventFile `json:"attachments"`
	At       desk.Time   `json:"at"`
}

type eventFile struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	URL  string `json:"url"`
}

// A shown is an event ready to be sent: encoded once, for every socket.
type shown struct {
	seq      int64
	external string // of a reply: what receipts name; "" for the visitor's own words
	body     []byte // the event's JSON
}

// frame is the websocket frame of an event.
func (s shown) frame() []byte {
	b := make([]byte, 0, len(s.body)+48)
	b = append(b, `{"type":"event","seq":`...)
	b = strconv.AppendInt(b, s.seq, 10)
	b = append(b, `,"event":`...)
	b = append(b, s.body...)
	return append(b, '}')
}

// showSaid makes the event of a visitor's message.
func (c *Channel) showSaid(seq int64, m *said, at desk.Time) shown {
	return encodeEvent(event{Seq: seq, ID: m.ID, Type: "message", From: "visitor", Name: m.Who.Name, Text: withoutNUL(m.Text),
		ClientID: m.ClientID, Files: c.linkFiles(m.Files), At: at}, "")
}

// showAnswer makes the event of a reply.
func (c *Channel) showAnswer(seq int64, id string, a *answered) shown {
	return encodeEvent(event{Seq: seq, ID: id, Type: "message", From: a.From, Name: a.Name, Text: a.Text,
		Files: c.linkFiles(a.Files), At: a.At}, a.External)
}

func encodeEvent(e event, external string) shown {
	body, _ := json.Marshal(e) // plain data: cannot fail
	return shown{seq: e.Seq, external: external, body: body}
}

// showEntry makes the event of a log entry; ok is false for one that cannot be read, which is skipped rather than stopping the rest.
func (c *Channel) showEntry(e connectors.Entry) (s shown, ok bool) {
	if e.Inbound {
		var m said
		if json.Unmarshal(e.Body, &m) != nil || m.ID == "" {
			return shown{}, false
		}
		return c.showSaid(e.Seq, &m, e.At), true
	}
	var a answered
	if json.Unmarshal(e.Body, &a) != nil {
		return shown{}, false
	}
	if a.External == "" {
		a.External = e.ID
	}
	return c.showAnswer(e.Seq, e.ID, &a), true
}

func (c *Channel) linkFiles(files []file) []eventFile {
	out := make([]eventFile, len(files))
	for i, f := range files {
		out[i] = c.linkFile(f)
	}
	return out
}

// withoutNUL drops the one character databases cannot keep. All others stay, bidi overrides and controls included: whoever
// shows them isolates them.
func withoutNUL(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "")
}

package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"hearback/connectors/telephony/pbx"
)

// A phoneWorld is a gateway with a telephony channel, and the call centre's own server.
type phoneWorld struct {
	*gateway
	t       *testing.T
	channel string
	address string // the address token
	centre  *pbx.Centre
	office  *pbx.Office
	admin   *apiClient
}

// callView is a call as the API shows it, as far as the tests look at it.
type callView struct {
	ID          string `json:"id"`
	State       string `json:"state"`
	Direction   string `json:"direction"`
	From        string `json:"from"`
	Agent       string `json:"agent"`
	Outcome     string `json:"outcome"`
	TalkSeconds int    `json:"talk_seconds"`
}

type callMessage struct {
	ID          string    `json:"id"`
	Seq         int64     `json:"seq"`
	Direction   string    `json:"direction"`
	Text        string    `json:"text"`
	Means       string    `json:"means"`
	Call        *callView `json:"call"`
	Attachments []struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Type  string `json:"type"`
		Size  int64  `json:"size"`
		State string `json:"state"`
		URL   string `json:"url"`
	} `json:"attachments"`
	Delivery *struct {
		State string `json:"state"`
		Code  string `json:"code"`
		Hint  string `json:"hint"`
	} `json:"delivery"`
}

type callTicket struct {
	ID       string `json:"id"`
	Number   string `json:"number"`
	Status   string `json:"status"`
	Subject  string `json:"subject"`
	Callback *struct {
		State string `json:"state"`
	} `json:"callback"`
	Reply struct {
		Routes []struct {
			ID    string `json:"id"`
			Means string `json:"means"`
			Open  bool   `json:"open"`
		} `json:"routes"`
	} `json:"reply"`
}

func standardSecret() string {
	b := make([]byte, 24)
	rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// newPhoneWorld makes all of it; the gateway is not started. Settings are key=value beside those every channel has.
func newPhoneWorld(t *testing.T, g *gateway, format string, settings ...string) *phoneWorld {
	t.Helper()
	w := &phoneWorld{gateway: g, t: t, address: "0123456789abcdef0123456789", office: &pbx.Office{Secret: standardSecret(), SMSUser: "AC1", SMSKey: "sms-key-of-the-test"}}
	server := httptest.NewServer(w.office)
	t.Cleanup(server.Close)
	w.centre = &pbx.Centre{Format: format, Secret: standardSecret(), Token: w.address, Recordings: server.URL + "/recordings", HTTP: &http.Client{Timeout: 20 * time.Second}}
	args := []string{"channel", "add", "--kind", "telephony", "--name", "Hotline", "--set", "token=" + w.address, "--set", "secret=" + w.centre.Secret,
		"--set", "callback_url=" + server.URL + "/callback", "--set", "callback_secret=" + w.office.Secret}
	for k, v := range w.centre.Settings() {
		args = append(args, "--set", k+"="+v)
	}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	for i := range args {
		if args[i] == "sms_url=OFFICE" {
			args[i] = "sms_url=" + server.URL + "/twilio"
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	g.run(&made, "", args...)
	w.channel = made.ID
	return w
}

// open starts the gateway.
func (w *phoneWorld) open(token string) {
	w.start()
	w.admin = w.api(token)
	w.centre.Target = w.base + "/c/" + w.channel
}

// play tells of a whole call, as the provider does.
func (w *phoneWorld) play(s pbx.Script) {
	w.t.Helper()
	for _, r := range w.centre.Requests(s) {
		if err := w.centre.Insist(w.t.Context(), r); err != nil {
			w.t.Fatalf("%s %s: %v", s.ID, r.Type, err)
		}
	}
}

// timeline is everything on a ticket.
func (w *phoneWorld) timeline(ticket string) (all []callMessage) {
	w.t.Helper()
	for after := int64(0); ; {
		var page struct {
			Items []callMessage `json:"items"`
		}
		if err := w.admin.do(context.Background(), "GET", fmt.Sprintf("/api/v1/tickets/%s/messages?after=%d&limit=200", ticket, after), nil, &page); err != nil {
			w.t.Fatal(err)
		}
		if len(page.Items) == 0 {
			return all
		}
		all = append(all, page.Items...)
		after = page.Items[len(page.Items)-1].Seq
	}
}

func (w *phoneWorld) ticket(id string) (t callTicket) {
	w.t.Helper()
	if err := w.admin.do(context.Background(), "GET", "/api/v1/tickets/"+id, nil, &t); err != nil {
		w.t.Fatal(err)
	}
	return t
}

// onlyTicket waits for the one ticket there is.
func (w *phoneWorld) onlyTicket() callTicket {
	w.t.Helper()
	var all []ticketView
	eventually(w.t, 20*time.Second, "there is one ticket", func() (ok bool) {
		var err error
		all, err = allTickets(context.Background(), w.admin)
		return err == nil && len(all) == 1
	})
	return w.ticket(all[0].ID)
}

// call is the call of that id on a ticket; nil when there is none.
func (w *phoneWorld) call(ticket, id string) *callMessage {
	w.t.Helper()
	for _, m := range w.timeline(ticket) {
		if m.Call != nil && m.Call.ID == id {
			return &m
		}
	}
	return nil
}

// route is the id of the ticket's way with those means.
func (t callTicket) route(means string) (id string, ok bool) {
	for _, r := range t.Reply.Routes {
		if r.Means == means && r.Open {
			return r.ID, true
		}
	}
	return "", false
}

package pbx

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Office is the provider's own server: recordings under /recordings/, callback requests at /callback, and SMS gateways at
// /twilio, /aliyun and /tencent. All of it is kept in memory for whoever looks.
type Office struct {
	Now      func() time.Time
	Login    string    // "user:password" recordings want; "" for none
	Expires  time.Time // recordings are gone (403) from then on; zero: never
	Secret   string    // of callback requests
	TakeCall func(Callback) string
	SMSUser  string // account, key id
	SMSKey   string

	mu        sync.Mutex
	callbacks []Callback
	seen      map[string]bool
	texts     []SMS
	refuse    string // the error code SMS gateways answer with
	status    int    // the status /callback answers with; 0: 200
	fetched   map[string]int
	news      chan struct{}
}

// A Callback is a callback.requested that was taken.
type Callback struct {
	ID        string // webhook-id
	CallID    string // the call the office will make of it
	Type      string
	Number    string
	Name      string
	Note      string
	Ticket    string // number
	Agent     string
	Extension string
	Repeats   int // how often it came again
}

// An SMS is one that a gateway took.
type SMS struct {
	Gateway, To, From, Text, ID, StatusURL string
}

// News has something whenever a callback or SMS came.
func (o *Office) News() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.newsLocked()
}

func (o *Office) newsLocked() chan struct{} {
	if o.news == nil {
		o.news = make(chan struct{}, 1)
	}
	return o.news
}

func (o *Office) tell() {
	select {
	case o.newsLocked() <- struct{}{}:
	default:
	}
}

// Callbacks are those taken so far; SMS likewise.
func (o *Office) Callbacks() []Callback {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Callback(nil), o.callbacks...)
}

// SMS are the texts the gateways took.
func (o *Office) SMS() []SMS {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]SMS(nil), o.texts...)
}

// Fetched tells how often a recording was handed out.
func (o *Office) Fetched(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fetched[name]
}

// Refuse makes SMS gateways answer with that error code ("" ends it) and /callback with that status (0 ends it).
func (o *Office) Refuse(code string, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse, o.status = code, status
}

func (o *Office) clock() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// ServeHTTP answers as the provider.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/recordings/"):
		o.recording(w, r)
	case r.URL.Path == "/callback":
		o.callback(w, r, body)
	case strings.HasPrefix(r.URL.Path, "/twilio/"):
		o.twilioSMS(w, r, string(body))
	case strings.HasPrefix(r.URL.Path, "/aliyun"):
		o.aliyunSMS(w, r, string(body))
	case strings.HasPrefix(r.URL.Path, "/tencent"):
		o.tencentSMS(w, r, string(body))
	default:
		http.NotFound(w, r)
	}
}

// recording hands out three seconds of sound.
func (o *Office) recording(w http.ResponseWriter, r *http.Request) {
	if o.Login != "" {
		user, password, _ := r.BasicAuth()
		if user+":"+password != o.Login {
			http.Error(w, "log in", http.StatusUnauthorized)
			return
		}
	}
	if !o.Expires.IsZero() && o.clock().After(o.Expires) {
		http.Error(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", http.StatusForbidden)
		return
	}
	o.mu.Lock()
	if o.fetched == nil {
		o.fetched = map[string]int{}
	}
	o.fetched[strings.TrimPrefix(r.URL.Path, "/recordings/")]++
	o.mu.Unlock()
	sound := WAV(3 * time.Second)
	w.Header().Set("Content-Type", "application/octet-stream") // as many do
	w.Header().Set("Content-Length", strconv.Itoa(len(sound)))
	w.Write(sound)
}

// callback takes a request to call somebody, once per webhook-id.
func (o *Office) callback(w http.ResponseWriter, r *http.Request, body []byte) {
	if err := VerifyStandard(r.Header, body, o.Secret, o.clock()); err != nil {
		http.Error(w, fmt.Sprintf(`{"error":%q}`, err), http.StatusUnauthorized)
		return
	}
	cb, err := readCallback(r.Header.Get("webhook-id"), body)
	if err != nil {
		http.Error(w, fmt.Sprintf(`{"error":%q}`, err), http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.status != 0 {
		http.Error(w, `{"error":"not now"}`, o.status)
		return
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	if cb.Type == "callback.requested" {
		if o.seen[cb.ID] {
			for i := range o.callbacks {
				if o.callbacks[i].ID == cb.ID {
					o.callbacks[i].Repeats++
					cb.CallID = o.callbacks[i].CallID
				}
			}
		} else {
			o.seen[cb.ID] = true
			cb.CallID = "cb-" + cb.ID
			if o.TakeCall != nil {
				cb.CallID = o.TakeCall(cb)
			}
			o.callbacks = append(o.callbacks, cb)
			o.tell()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"call_id": cb.CallID})
}

func readCallback(id string, body []byte) (Callback, error) {
	var event struct {
		Type string `json:"type"`
		Data struct {
			Number string `json:"number"`
			Name   string `json:"name"`
			Note   string `json:"note"`
			Ticket struct {
				Number string `json:"number"`
			} `json:"ticket"`
			Agent struct {
				Name      string `json:"name"`
				Extension string `json:"extension"`
			} `json:"agent"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return Callback{}, fmt.Errorf("read callback: %w", err)
	}
	d := event.Data
	return Callback{ID: id, Type: event.Type, Number: d.Number, Name: d.Name, Note: d.Note, Ticket: d.Ticket.Number, Agent: d.Agent.Name, Extension: d.Agent.Extension}, nil
}

package tencent

import (
	"net/http"
	"time"
)

// A Fault is one thing going wrong at one endpoint, the next Times times it is called.
type Fault struct {
	Times   int           // 0 means once
	Delay   time.Duration // answer so much later; real time
	Hang    bool          // never answer; the caller has to give up
	Cut     bool          // close the connection without an answer
	Done    bool          // do what was asked first: only the answer is lost, late or wrong
	Status  int           // HTTP status, e.g. 500
	ErrCode int           // errcode inside HTTP 200
	ErrMsg  string
	Body    string // answer with these bytes instead
	Match   string // only requests whose body contains this

	// For Callbacks only:
	Drop  bool // the callback is not made at all
	Twice bool // it is made twice, at the same time
}

// Callbacks is the name under which Fail scripts what happens to callbacks; all other names are paths ("/cgi-bin/…").
const Callbacks = "callbacks"

// Fail lets the next calls of an endpoint go wrong, in the order they were scripted.
func (t *Tencent) Fail(endpoint string, faults ...Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		t.faults[endpoint] = append(t.faults[endpoint], &f)
	}
}

// Mend forgets every fault not used up.
func (t *Tencent) Mend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.faults)
}

// fault takes the next fault of an endpoint.
func (t *Tencent) fault(endpoint, body string) *Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, f := range t.faults[endpoint] {
		if f.Match != "" && !contains(body, f.Match) {
			continue
		}
		out := *f
		if f.Times--; f.Times == 0 {
			t.faults[endpoint] = append(t.faults[endpoint][:i:i], t.faults[endpoint][i+1:]...)
		}
		return &out
	}
	return nil
}

// A Call is one request to the API, as it was answered.
type Call struct {
	At      time.Time
	Method  string
	Path    string
	AppID   string // of the account the token belonged to, "" when there was none
	Body    string // of JSON requests
	ErrCode int
	Status  int
}

// Calls returns the requests so far, of one path or all ("").
func (t *Tencent) Calls(path string) []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Call
	for _, c := range t.calls {
		if path == "" || c.Path == path {
			out = append(out, c)
		}
	}
	return out
}

// wrong answers as the fault says; it tells whether the request is over.
func (f *Fault) wrong(w http.ResponseWriter, r *http.Request) (over bool) {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return true
		}
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Body != "":
		if f.Status != 0 {
			w.WriteHeader(f.Status)
		}
		w.Write([]byte(f.Body))
	case f.Status != 0:
		http.Error(w, http.StatusText(f.Status), f.Status)
	case f.ErrCode != 0:
		refuse(f.ErrCode, f.ErrMsg).write(w)
	default:
		return false // only late
	}
	return true
}

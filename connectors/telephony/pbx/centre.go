package pbx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Formats are the ways to tell of calls: the connector's native formats and its shipped profiles.
var Formats = []string{"generic", "zammad", "zammad-form", "sipgate", "placetel", "twilio", "freeswitch", "tccc", "aliyun", "clink", "7moor", "vonage"}

// A Centre is a call centre as its provider's events show it.
type Centre struct {
	Format     string
	Target     string // where it posts: the channel's address, or …/api/v1/cti/TOKEN
	Public     string // the address providers were given when Target is another way to the same place; "" is Target
	Secret     string // the channel's secret
	Token      string // the channel's token; put behind Target for formats that do not sign, unless Target ends in it
	Recordings string // where Office keeps the sound
	Now        func() time.Time
	HTTP       *http.Client
}

// Settings are the channel's settings this centre's format wants, beside secret and token.
func (c *Centre) Settings() map[string]string {
	switch c.Format {
	case "zammad-form":
		return map[string]string{"format": "zammad"}
	case "clink", "7moor", "vonage":
		return map[string]string{"format": "profile", "profile": c.Format}
	}
	return map[string]string{"format": c.Format}
}

// A Request is one event as the provider posts it, unsigned: signatures carry the time they are sent.
type Request struct {
	Method string
	Query  string
	Header http.Header
	Body   string
	ID     string    // what names this event, for providers that name events
	Type   string    // what it tells, for people
	At     time.Time // when the provider tells it
}

// Requests is how the provider tells of a call.
func (c *Centre) Requests(s Script) []Request {
	s = s.fill()
	steps := s.steps(c.Recordings)
	switch c.Format {
	case "generic":
		return genericRequests(s, steps)
	case "zammad":
		return zammadRequests(s, steps, false)
	case "zammad-form":
		return zammadRequests(s, steps, true)
	case "sipgate":
		return sipgateRequests(s, steps)
	case "placetel":
		return placetelRequests(s, steps)
	case "twilio":
		return twilioRequests(s, steps)
	case "freeswitch":
		return freeswitchRequests(s, steps)
	case "tccc":
		return tcccRequests(s, steps)
	case "aliyun":
		return aliyunRequests(s, steps)
	case "clink":
		return clinkRequests(s, steps)
	case "7moor":
		return moorRequests(s, steps)
	case "vonage":
		return vonageRequests(s, steps)
	}
	return nil
}

// Order is what becomes of requests on the way.
type Order struct {
	Shuffle bool
	Repeat  int     // each is sent so many times more
	Lose    float64 // the part of them that is lost
}

// Arrange brings requests of many calls into the order they arrive in. The order is rnd's alone.
func (o Order) Arrange(requests []Request, rnd *rand.Rand) []Request {
	var out []Request
	for _, r := range requests {
		if o.Lose > 0 && rnd.Float64() < o.Lose {
			continue
		}
		for range o.Repeat + 1 {
			out = append(out, r)
		}
	}
	if o.Shuffle {
		rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// A Refused is a gateway's answer other than 2xx.
type Refused struct {
	Status int
	Body   string
}

// Error names status and answer.
func (r *Refused) Error() string { return fmt.Sprintf("status %d: %s", r.Status, r.Body) }

// Post signs and sends one request and returns the gateway's answer.
func (c *Centre) Post(ctx context.Context, r Request) (string, error) {
	req, err := c.Signed(ctx, r)
	if err != nil {
		return "", err
	}
	res, err := c.client().Do(req)
	if err != nil {
		return "", fmt.Errorf("post call event: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return "", &Refused{Status: res.StatusCode, Body: strings.TrimSpace(string(body))}
	}
	return string(body), nil
}

// Insist posts until the gateway takes it, as providers do that try again; refusals other than 5xx end it.
func (c *Centre) Insist(ctx context.Context, r Request) error {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		_, err := c.Post(ctx, r)
		var refused *Refused
		if err == nil || errors.As(err, &refused) && refused.Status < 500 {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

func (c *Centre) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

// address is where a request goes, with its query.
func (c *Centre) address(r Request) string {
	address := strings.TrimSuffix(c.Target, "/")
	if slices.Contains([]string{"zammad", "zammad-form", "sipgate", "tccc", "aliyun", "clink", "7moor"}, c.Format) && c.Token != "" && !strings.HasSuffix(address, "/"+c.Token) {
		address += "/" + c.Token
	}
	if r.Query != "" {
		address += "?" + r.Query
	}
	return address
}

// Signed is a request as it leaves.
func (c *Centre) Signed(ctx context.Context, r Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, c.address(r), bytes.NewReader([]byte(r.Body)))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for k, v := range r.Header {
		req.Header[k] = slices.Clone(v)
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	switch c.Format {
	case "generic":
		signStandard(req, c.Secret, r.ID, r.Body, now())
	case "placetel":
		signPlacetel(req, c.Secret, r.Body)
	case "twilio":
		public := *c
		if c.Public != "" {
			public.Target = c.Public
		}
		signTwilio(req, c.Secret, public.address(r), r.Body)
	case "freeswitch":
		user, password, _ := strings.Cut(c.Secret, ":")
		req.SetBasicAuth(user, password)
	case "vonage":
		signVonage(req, c.Secret, r.Body, now())
	}
	return req, nil
}

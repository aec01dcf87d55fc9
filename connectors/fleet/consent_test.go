package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
)

// consenting is a kind whose provider is in the test.
func consenting(log *trace) []connectors.Kind {
	all := kinds(log, nil)
	all[0].Consent = &connectors.Consent{
		URL: func(ch desk.Channel, redirect, state, verifier string) (string, error) {
			if ch.Settings["mood"] == "bad" {
				return "", errors.New("fill in the client id")
			}
			return "https://login.example.com/?" + url.Values{"redirect_uri": {redirect}, "state": {state}, "verifier": {verifier}}.Encode(), nil
		},
		Exchange: func(_ context.Context, ch desk.Channel, _ connectors.Tools, redirect, code, verifier string) (map[string]string, error) {
			switch code {
			case "panic":
				panic("in the library")
			case "refused":
				return nil, errors.New("the provider refused hunter2-hunter2")
			}
			return map[string]string{"password": verifier + " " + redirect}, nil
		},
	}
	return all
}

func TestConsentIsTakenOnceInTimeAndFromWhoBegan(t *testing.T) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, more := range map[string]func(*fleet.Options){"with a cache": func(o *fleet.Options) { o.Cache = &bucket{used: map[string]bool{}} }, "alone": func(*fleet.Options) {}} {
		t.Run(name, func(t *testing.T) {
			at := clock
			f := newFleet(newShelf(now), "n1", consenting(&trace{}), &bytes.Buffer{}, func(o *fleet.Options) {
				o.Now = func() time.Time { return at }
				more(o)
			})
			defer f.Close()
			ch := desk.Channel{ID: "c1", Kind: "hook", Settings: map[string]string{"password": "hunter2-hunter2"}}
			begin := func() (state, verifier string) {
				page, err := f.Begin(ch, "admin")
				if err != nil {
					t.Fatal(err)
				}
				u, _ := url.Parse(page)
				if got := u.Query().Get("redirect_uri"); got != "https://desk.example.com/api/v1/oauth/callback" {
					t.Errorf("back to %s", got)
				}
				return u.Query().Get("state"), u.Query().Get("verifier")
			}
			state, verifier := begin()
			if len(verifier) < 43 || strings.Contains(state, verifier) {
				t.Errorf("verifier %q", verifier)
			}
			for _, wrong := range []string{"", ".", state[1:], state + "x", strings.Replace(state, ".", "", 1), "e30.e30"} {
				if _, err := f.ConsentOf(t.Context(), wrong, "admin"); !errors.Is(err, fleet.ErrConsent) {
					t.Errorf("forged state %.20q: %v", wrong, err)
				}
			}
			if _, err := f.ConsentOf(t.Context(), state, "another admin"); !errors.Is(err, fleet.ErrConsent) {
				t.Errorf("another admin: %v", err)
			}
			if id, err := f.ConsentOf(t.Context(), state, "admin"); err != nil || id != "c1" {
				t.Fatalf("%q %v", id, err)
			}
			if _, err := f.ConsentOf(t.Context(), state, "admin"); !errors.Is(err, fleet.ErrConsent) {
				t.Errorf("a second time: %v", err)
			}
			got, err := f.Exchange(t.Context(), ch, state, "code")
			if err != nil || got["password"] != verifier+" https://desk.example.com/api/v1/oauth/callback" {
				t.Errorf("%v %v", got, err)
			}
			late, _ := begin()
			at = at.Add(11 * time.Minute)
			if _, err := f.ConsentOf(t.Context(), late, "admin"); !errors.Is(err, fleet.ErrConsent) {
				t.Errorf("too late: %v", err)
			}
		})
	}
}

func TestConsentTellsWhatIsMissingAndNoSecret(t *testing.T) {
	f := newFleet(newShelf(now), "n1", consenting(&trace{}), &bytes.Buffer{}, nil)
	defer f.Close()
	ch := desk.Channel{ID: "c1", Kind: "hook", Settings: map[string]string{"password": "hunter2-hunter2", "mood": "bad"}}
	if _, err := f.Begin(ch, "admin"); err == nil || err.Error() != "fill in the client id" {
		t.Errorf("%v", err)
	}
	if _, err := f.Begin(desk.Channel{Kind: "poll"}, "admin"); !errors.Is(err, desk.ErrInvalid) {
		t.Errorf("a kind without: %v", err)
	}
	for _, code := range []string{"refused", "panic"} {
		if _, err := f.Exchange(t.Context(), ch, "state", code); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestTryContainsAPanicAndFillsInDefaults(t *testing.T) {
	all := kinds(&trace{}, nil)
	all[0].Try = func(settings map[string]string, s connectors.Sample) connectors.Trial {
		if len(s.Body) == 0 {
			panic("hunter2-hunter2")
		}
		return connectors.Trial{Answer: connectors.Answer{Status: 200, Body: settings["mood"] + string(s.Body)}}
	}
	f := newFleet(newShelf(now), "n1", all, &bytes.Buffer{}, nil)
	defer f.Close()
	if got, err := f.Try("hook", nil, connectors.Sample{Body: []byte("!")}); err != nil || got.Answer.Body != "good!" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := f.Try("hook", map[string]string{"password": "hunter2-hunter2"}, connectors.Sample{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("panic: %v", err)
	}
	for _, kind := range []string{"poll", "none"} {
		if _, err := f.Try(kind, nil, connectors.Sample{}); !errors.Is(err, desk.ErrNotFound) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

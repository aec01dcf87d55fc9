package email_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/connectors/connectortest"
	"hearback/connectors/email"
	"hearback/connectors/email/mailtest"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// An authority is an authorization server: it gives codes for its log-in page's addresses and tokens for codes, as RFC 6749 and
// RFC 7636 want it.
type authority struct {
	*httptest.Server
	mu        sync.Mutex
	challenge map[string]string // by code
	refresh   string            // the token that is good; "" when the consent was revoked
	rotates   bool
	asked     int
}

func startAuthority(t testing.TB) *authority {
	a := &authority{challenge: map[string]string{}, refresh: "refresh-token-0"}
	mux := http.NewServeMux()
	mux.HandleFunc("/token", a.token)
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	return a
}

// agree is what a person does on the log-in page: its address gives a code.
func (a *authority) agree(t testing.TB, page string) (code, state string) {
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "app" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") == "" {
		t.Fatalf("the page is asked for %v", q)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	code = fmt.Sprint("code-", len(a.challenge))
	a.challenge[code] = q.Get("code_challenge") + " " + q.Get("redirect_uri")
	return code, q.Get("state")
}

func (a *authority) token(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	refuse := func(why string) {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": why, "error_description": "in the provider's words"})
	}
	if r.FormValue("client_id") != "app" || r.FormValue("client_secret") != "app-secret-value" {
		refuse("invalid_client")
		return
	}
	switch r.FormValue("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		want := base64.RawURLEncoding.EncodeToString(sum[:]) + " " + r.FormValue("redirect_uri")
		if a.challenge[r.FormValue("code")] != want {
			refuse("invalid_grant")
			return
		}
		delete(a.challenge, r.FormValue("code"))
	case "refresh_token":
		if a.refresh == "" || r.FormValue("refresh_token") != a.refresh {
			refuse("invalid_grant")
			return
		}
		if a.rotates {
			a.refresh = fmt.Sprint("refresh-token-", a.asked)
		}
	default:
		refuse("unsupported_grant_type")
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("access-token-", a.asked), "refresh_token": a.refresh, "expires_in": 3600})
}

func (a *authority) settings() map[string]string {
	return map[string]string{"address": "support@shop.test", "auth": "xoauth2", "oauth_client_id": "app", "oauth_client_secret": "app-secret-value",
		"oauth_token_url": a.URL + "/token", "oauth_auth_url": a.URL + "/authorize", "imap_host": "127.0.0.1", "smtp_host": "127.0.0.1",
		"imap_security": "none", "smtp_security": "none", "sent_copy": "off", "rate_per_minute": "0"}
}

func TestPersonLogsInAtTheProviderAndTheMailboxSends(t *testing.T) {
	a := startAuthority(t)
	s := mailtest.StartSMTP(t, nil)
	house := connectortest.NewHouse(t)
	ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, a.settings())}
	ch.Settings["smtp_port"] = fmt.Sprint(s.Port)
	if problems := email.Kind.Check(ch.Settings); len(problems) != 0 {
		t.Fatalf("a channel cannot be saved before the log-in: %+v", problems)
	}
	send := func() error {
		conn, err := email.Kind.Open(context.Background(), ch, house.Tools(ch))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = conn.Send(context.Background(), outbound())
		return err
	}
	if got := connectors.AsSendError(send()); got.Class != connectors.Credentials || got.Code != "no_consent" || !strings.Contains(got.Hint, "log in at the provider") {
		t.Errorf("before the log-in: %v", got)
	}
	const redirect = "https://desk.test/api/v1/oauth/callback"
	page, err := email.Kind.Consent.URL(ch, redirect, "the-state", "a-verifier-of-forty-three-characters-or-more")
	if err != nil {
		t.Fatal(err)
	}
	code, state := a.agree(t, page)
	if state != "the-state" || strings.Contains(page, "app-secret") || strings.Contains(page, "a-verifier") || !strings.Contains(page, "login_hint=support%40shop.test") {
		t.Errorf("the page is %s", page)
	}
	tools := house.Tools(ch)
	if _, err := email.Kind.Consent.Exchange(context.Background(), ch, tools, redirect, code, "another verifier"); err == nil || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("a stolen code: %v", err)
	}
	got, err := email.Kind.Consent.Exchange(context.Background(), ch, tools, redirect, code, "a-verifier-of-forty-three-characters-or-more")
	if err != nil || got["oauth_refresh_token"] != "refresh-token-0" || got["auth"] != "xoauth2" {
		t.Fatalf("%v, %v", got, err)
	}
	for k, v := range got {
		ch.Settings[k] = v
	}
	s.Token("access-token-3") // the third answer of the authority
	if err := send(); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.refresh = "" // revoked at the provider
	a.mu.Unlock()
	house.Clock.Advance(2 * time.Hour)
	err = send()
	if told := connectors.AsSendError(err); told.Class != connectors.Credentials || told.Code != "invalid_grant" || !strings.Contains(told.Hint, "log in again") {
		t.Errorf("after the revocation: %v", err)
	}
	house.CheckSecrets(email.Kind, ch, fmt.Sprint(err))
}

func TestRenewedConsentIsKeptOnceADay(t *testing.T) {
	a := startAuthority(t)
	a.rotates = true
	house := connectortest.NewHouse(t)
	ch := desk.Channel{ID: desk.NewID(), Kind: "email", Settings: connectortest.Settings(email.Kind, a.settings())}
	ch.Settings["oauth_refresh_token"] = "refresh-token-0"
	s := mailtest.StartSMTP(t, nil)
	ch.Settings["smtp_port"] = fmt.Sprint(s.Port)
	var kept []string
	send := func(token string) {
		t.Helper()
		s.Token(token)
		tools := house.Tools(ch)
		tools.Keep = func(_ context.Context, set map[string]string) error {
			kept = append(kept, set["oauth_refresh_token"])
			return nil
		}
		conn, err := email.Kind.Open(context.Background(), ch, tools)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Send(context.Background(), outbound()); err != nil {
			t.Fatal(err)
		}
	}
	send("access-token-1")
	if len(kept) != 1 || kept[0] != "refresh-token-1" {
		t.Fatalf("kept %v", kept)
	}
	// The channel is opened anew with it. Within the day further ones are not stored: each is good for weeks.
	ch.Settings["oauth_refresh_token"] = kept[0]
	house.Clock.Advance(2 * time.Hour)
	send("access-token-2")
	if len(kept) != 1 {
		t.Errorf("kept %v", kept)
	}
	a.mu.Lock()
	a.refresh = kept[0] // as providers do, the older one is good still
	a.mu.Unlock()
	house.Clock.Advance(25 * time.Hour)
	send("access-token-3")
	if len(kept) != 2 || kept[1] != "refresh-token-3" {
		t.Errorf("kept %v", kept)
	}
}

func TestLogInPagesOfTheProvidersAreTheirs(t *testing.T) {
	for _, c := range []struct {
		set                map[string]string
		host, scope, other string
	}{
		{map[string]string{"provider": "gmail"}, "accounts.google.com/o/oauth2/v2/auth", "https://mail.google.com/", "access_type=offline"},
		{map[string]string{"provider": "microsoft365"}, "login.microsoftonline.com/common/oauth2/v2.0/authorize", "offline_access", "outlook.office.com%2FSMTP.Send"},
		{map[string]string{"provider": "microsoft365", "oauth_tenant": "shop.test"}, "login.microsoftonline.com/shop.test/oauth2/v2.0/authorize", "IMAP.AccessAsUser.All", "code_challenge="},
	} {
		c.set["oauth_client_id"], c.set["address"] = "app", "support@shop.test"
		page, err := email.Kind.Consent.URL(desk.Channel{Settings: c.set}, "https://desk.test/cb", "s", "v")
		u, _ := url.Parse(page)
		if err != nil || u.Host+u.Path != c.host || !strings.Contains(u.Query().Get("scope"), c.scope) || !strings.Contains(page, c.other) {
			t.Errorf("%v: %s, %v", c.set, page, err)
		}
	}
	for _, set := range []map[string]string{{"provider": "gmail"}, {"provider": "own", "oauth_client_id": "app"}} {
		if _, err := email.Kind.Consent.URL(desk.Channel{Settings: set}, "https://desk.test/cb", "s", "v"); !errors.Is(err, desk.ErrInvalid) || !strings.Contains(err.Error(), " / ") {
			t.Errorf("%v: %v", set, err)
		}
	}
}

func TestRenewedConsentIsStoredWithTheChannel(t *testing.T) {
	a := startAuthority(t)
	a.rotates = true
	p := startProvider(t, func(cmd string) (string, string) {
		if strings.HasPrefix(cmd, "EXAMINE") {
			return "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT 1] ok\r\n", "OK done"
		}
		return "", "OK done"
	})
	set := a.settings()
	set["imap_port"], set["oauth_refresh_token"], set["after_fetch"] = fmt.Sprint(p.port), "refresh-token-0", "leave"
	store := storetest.SQLite(t)
	h := openHouse(t, store, set)
	mailtest.Eventually(t, "the new token is stored", func() bool {
		ch, err := store.Channel(context.Background(), h.channel.ID)
		return err == nil && ch.Settings["oauth_refresh_token"] == "refresh-token-1" && ch.Settings["oauth_client_secret"] == "app-secret-value"
	})
}

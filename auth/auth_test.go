package auth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

const password = "correct horse 电池"

// A house is an Auth over a real store, with a clock to set and rate buckets to empty.
type house struct {
	*Auth
	store *ticketstore.Store
	mu    sync.Mutex
	time  time.Time
	keys  []string // what was asked of the limiter
	empty string   // buckets whose key begins so are empty
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.time
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.time = h.time.Add(d)
}

func (h *house) Allow(_ context.Context, key string, perMinute, burst int) (bool, time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = append(h.keys, key)
	return h.empty == "" || !strings.HasPrefix(key, h.empty), 7 * time.Second, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{time: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	opt := storetest.Options("sqlite:" + filepath.Join(t.TempDir(), "hearback.db"))
	opt.Now = h.now
	h.store = storetest.Open(t, opt)
	h.Auth = New(Options{Store: h.store, Limiter: h, Now: h.now, Hashes: 2})
	return h
}

func (h *house) person(t *testing.T, email string, role desk.Role) desk.Agent {
	t.Helper()
	hash, err := h.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	a, err := h.store.CreateAgent(t.Context(), desk.Agent{Name: email, Email: email, Role: role}, hash, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) logIn(t *testing.T, email string) Login {
	t.Helper()
	l, err := h.LogIn(t.Context(), email, password, "Firefox", "192.0.2.1:7777")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func withCookie(secret string) *http.Request {
	r := httptest.NewRequest("GET", "/api/v1/tickets", nil)
	r.AddCookie(&http.Cookie{Name: CookieName, Value: secret})
	return r
}

func withBearer(token string) *http.Request {
	r := httptest.NewRequest("GET", "/api/v1/tickets", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func (h *house) refused(t *testing.T, r *http.Request, why string) {
	t.Helper()
	if p, err := h.Authenticate(r); !errors.Is(err, ErrNobody) {
		t.Errorf("%s: %+v, %v", why, p, err)
	}
}

func TestLogInOpensASession(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleSupervisor)
	l := h.logIn(t, " LI@Example.com")
	p, err := h.Authenticate(withCookie(l.Secret))
	if err != nil || p.Agent.ID != li.ID || p.SessionID != l.Principal.SessionID || p.Token || p.MustChange {
		t.Errorf("%+v, %v", p, err)
	}
	all, err := h.store.Sessions(t.Context(), li.ID)
	if err != nil || len(all) != 1 || all[0].UserAgent != "Firefox" {
		t.Errorf("%+v, %v", all, err)
	}
	if err := h.LogOut(t.Context(), li.ID, l.Principal.SessionID); err != nil {
		t.Error(err)
	}
	h.refused(t, withCookie(l.Secret), "after logging out")
	if err := h.LogOut(t.Context(), li.ID, l.Principal.SessionID); err != nil {
		t.Errorf("logging out twice: %v", err)
	}
}

func TestEveryRefusedLogInCostsOneHash(t *testing.T) {
	h := newHouse(t)
	h.person(t, "li@example.com", desk.RoleAgent)
	off := h.person(t, "off@example.com", desk.RoleAgent)
	off.Disabled = true
	if _, err := h.store.UpdateAgent(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.CreateAgent(t.Context(), desk.Agent{Name: "bot", Email: "bot@example.com", Role: desk.RoleAgent, Bot: true}, "", false); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string][2]string{
		"wrong password": {"li@example.com", password + "x"}, "unknown account": {"nobody@example.com", password}, "disabled": {"off@example.com", password},
		"no password set": {"bot@example.com", ""}, "no address": {"", ""}, "endless password": {"li@example.com", strings.Repeat("x", 1<<20)},
	} {
		before := h.hasher.runs.Load()
		_, err := h.LogIn(t.Context(), try[0], try[1], "", "")
		if !errors.Is(err, ErrCredentials) || h.hasher.runs.Load()-before != 1 {
			t.Errorf("%s: %v after %d hashes", name, err, h.hasher.runs.Load()-before)
		}
	}
}

func TestAttemptsAreLimitedPerAccountAndAddress(t *testing.T) {
	h := newHouse(t)
	h.person(t, "li@example.com", desk.RoleAgent)
	try := func(email, address string) (account, from string) {
		t.Helper()
		h.keys = nil
		_, _ = h.LogIn(t.Context(), email, password, "", address)
		return h.keys[0], h.keys[1]
	}
	a1, n1 := try("li@example.com", "192.0.2.1:1")
	a2, n2 := try("LI@example.com ", "192.0.2.1:2")
	a3, n3 := try("wang@example.com", "192.0.2.1:3")
	a4, n4 := try("li@example.com", "192.0.2.2:1")
	if a1 != a2 || a1 == a3 || a1 == a4 || n1 != n2 || n1 != n3 || n1 == n4 {
		t.Errorf("buckets: %q %q %q %q, %q %q %q %q", a1, a2, a3, a4, n1, n2, n3, n4)
	}
	_, v6a := try("x", "[2001:db8:1:2:3::1]:5")
	_, v6b := try("x", "2001:db8:1:2:9::7")
	_, v6c := try("x", "2001:db8:1:3::7")
	if v6a != v6b || v6a == v6c {
		t.Errorf("IPv6 buckets: %q %q %q", v6a, v6b, v6c)
	}
	if strings.Contains(a1, "li@example.com") {
		t.Error("the address is written into a key")
	}
	h.empty = "login:"
	before := h.hasher.runs.Load()
	_, err := h.LogIn(t.Context(), "li@example.com", password, "", "192.0.2.1")
	if tooMany, ok := errors.AsType[*TooMany](err); !ok || tooMany.Wait != 7*time.Second || h.hasher.runs.Load() != before {
		t.Errorf("%v", err)
	}
}

func TestSessionEndsWhenIdleAndAfterThirtyDays(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAgent)
	left := h.logIn(t, li.Email)
	h.pass(idle - time.Second)
	if _, err := h.Authenticate(withCookie(left.Secret)); err != nil {
		t.Errorf("just before: %v", err)
	}
	h.pass(idle)
	h.refused(t, withCookie(left.Secret), "idle for twelve hours")

	used := h.logIn(t, li.Email)
	for range 59 {
		h.pass(idle - time.Minute)
		if _, err := h.Authenticate(withCookie(used.Secret)); err != nil {
			t.Fatalf("a used session ended: %v", err)
		}
	}
	h.pass(idle - time.Minute)
	if all, _ := h.store.Sessions(t.Context(), li.ID); len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	h.pass(2 * time.Hour)
	h.refused(t, withCookie(used.Secret), "after thirty days")
}

func TestRevokedSessionIsRefusedAtOnce(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAgent)
	a, b, c := h.logIn(t, li.Email), h.logIn(t, li.Email), h.logIn(t, li.Email)
	for _, l := range []Login{a, b, c} {
		if _, err := h.Authenticate(withCookie(l.Secret)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.store.RevokeSession(t.Context(), li.ID, a.Principal.SessionID); err != nil {
		t.Fatal(err)
	}
	h.refused(t, withCookie(a.Secret), "revoked")
	if ended, err := h.LogOutOthers(t.Context(), li.ID, b.Principal.SessionID); err != nil || !slices.Equal(ended, []desk.ID{c.Principal.SessionID}) {
		t.Error(ended, err)
	}
	h.refused(t, withCookie(c.Secret), "revoked with the others")
	if _, err := h.Authenticate(withCookie(b.Secret)); err != nil {
		t.Errorf("the one kept: %v", err)
	}
}

func TestPasswordIsChangedByItsOwnerOnly(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAgent)
	here, there := h.logIn(t, li.Email), h.logIn(t, li.Email)
	change := func(old, new string) error {
		return h.ChangePassword(t.Context(), li.ID, here.Principal.SessionID, old, new)
	}
	for name, try := range map[string][2]string{
		"wrong old": {"x", "a good new password"}, "short": {password, "123456789"}, "the address": {password, "LI@example.com"},
		"the same": {password, password}, "one sign": {password, "啊啊啊啊啊啊啊啊啊啊啊"}, "endless": {password, strings.Repeat("ab", 501)},
	} {
		if err := change(try[0], try[1]); !errors.Is(err, desk.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := change(password, "十个字的新密码也可以"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(withCookie(here.Secret)); err != nil {
		t.Errorf("the session that changed it: %v", err)
	}
	h.refused(t, withCookie(there.Secret), "a session of the old password")
	if _, err := h.LogIn(t.Context(), li.Email, password, "", ""); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := h.LogIn(t.Context(), li.Email, "十个字的新密码也可以", "", ""); err != nil {
		t.Errorf("the new password: %v", err)
	}
	h.empty = "password:"
	if _, ok := errors.AsType[*TooMany](change("x", "y")); !ok {
		t.Error("guessing the old password is not limited")
	}
}

func TestOldHashIsRenewedAtLogIn(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAgent)
	weak := phc{memory: 8 * 1024, passes: 1, lanes: 1, salt: []byte("0123456789abcdef"), key: make([]byte, 32)}
	var err error
	if weak.key, err = h.hasher.key(t.Context(), password, weak); err != nil {
		t.Fatal(err)
	}
	if err := h.store.SetPassword(t.Context(), li.ID, weak.String(), true); err != nil {
		t.Fatal(err)
	}
	if l := h.logIn(t, li.Email); !l.Principal.MustChange {
		t.Error("the duty to change it is forgotten")
	}
	hash, mustChange, err := h.store.Credentials(t.Context(), li.ID)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || !mustChange {
		t.Errorf("%q, %v, %v", hash, mustChange, err)
	}
	h.logIn(t, li.Email)
}

func TestTokenActsForItsOwner(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAdmin)
	secret, tok, err := h.AddToken(t.Context(), li.ID, "ci")
	if err != nil || !strings.HasPrefix(secret, "hbk_") || !strings.HasSuffix(secret, tok.LastFour) {
		t.Fatal(secret, tok, err)
	}
	p, err := h.Authenticate(withBearer(secret))
	if err != nil || p.Agent.ID != li.ID || !p.Token || p.SessionID != "" || !p.Can(PeopleWrite) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, wrong := range []string{"", "hbk_", secret + "x", secret[4:], strings.ToUpper(secret), "Bearer " + secret} {
		h.refused(t, withBearer(wrong), wrong)
	}
	// A wrong token is not healed by a right cookie.
	both := withCookie(h.logIn(t, li.Email).Secret)
	both.Header.Set("Authorization", "Bearer hbk_wrong")
	h.refused(t, both, "wrong token, right cookie")
	if err := h.store.RevokeToken(t.Context(), li.ID, tok.ID); err != nil {
		t.Fatal(err)
	}
	h.refused(t, withBearer(secret), "revoked")
}

func TestDisabledAgentIsNobodyOnceForgotten(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAgent)
	secret, _, err := h.AddToken(t.Context(), li.ID, "ci")
	if err != nil {
		t.Fatal(err)
	}
	l := h.logIn(t, li.Email)
	for _, r := range []*http.Request{withBearer(secret), withCookie(l.Secret)} {
		if _, err := h.Authenticate(r); err != nil {
			t.Fatal(err)
		}
	}
	li.Disabled = true
	if _, err := h.store.UpdateAgent(t.Context(), li); err != nil {
		t.Fatal(err)
	}
	h.Forget(li.ID)
	h.refused(t, withBearer(secret), "token of a disabled agent")
	h.refused(t, withCookie(l.Secret), "session of a disabled agent")

	li.Disabled = false
	if _, err := h.store.UpdateAgent(t.Context(), li); err != nil {
		t.Fatal(err)
	}
	h.pass(rememberFor) // a node that was not told knows a few seconds later
	if _, err := h.Authenticate(withBearer(secret)); err != nil {
		t.Error(err)
	}
}

func TestFirstAdminIsMadeOnce(t *testing.T) {
	h := newHouse(t)
	var wins []string
	var mu sync.Mutex
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			p, made, err := h.FirstAdmin(t.Context(), "admin@localhost", "Admin")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if made {
				wins = append(wins, p)
			}
		})
	}
	nodes.Wait()
	if len(wins) != 1 || judge(wins[0], "admin@localhost") != nil {
		t.Fatalf("passwords: %d", len(wins))
	}
	l, err := h.LogIn(t.Context(), "admin@localhost", wins[0], "", "")
	if err != nil || !l.Principal.MustChange || l.Principal.Agent.Role != desk.RoleAdmin {
		t.Errorf("%+v, %v", l.Principal, err)
	}
	if err := h.ChangePassword(t.Context(), l.Principal.Agent.ID, l.Principal.SessionID, wins[0], password); err != nil {
		t.Fatal(err)
	}
	if p, err := h.Authenticate(withCookie(l.Secret)); err != nil || p.MustChange {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestNothingStoredLogsAnybodyIn(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAdmin)
	hash, _, err := h.store.Credentials(t.Context(), li.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.LogIn(t.Context(), li.Email, hash, "", ""); !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
	l := h.logIn(t, li.Email)
	h.refused(t, withCookie(digest(l.Secret)), "the stored digest")
	h.refused(t, withCookie(""), "an empty cookie")
	h.refused(t, httptest.NewRequest("GET", "/", nil), "no cookie")
}

func TestStoreAwayLetsNobodyIn(t *testing.T) {
	h := newHouse(t)
	li := h.person(t, "li@example.com", desk.RoleAdmin)
	l := h.logIn(t, li.Email)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, err := h.Authenticate(withCookie(l.Secret).WithContext(ctx))
	if err == nil || errors.Is(err, ErrNobody) || p.Agent.ID != "" {
		t.Errorf("%+v, %v: want a fault, not a verdict", p, err)
	}
}

func TestCookieIsForTheBrowserAlone(t *testing.T) {
	c := New(Options{Secure: true}).Cookie("secret")
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge <= 0 {
		t.Errorf("%+v", c)
	}
	if c := New(Options{}).Cookie("secret"); c.Secure {
		t.Error("a cookie that plain http cannot send")
	}
	if c := New(Options{}).Cookie(""); c.MaxAge >= 0 {
		t.Errorf("%+v", c)
	}
}

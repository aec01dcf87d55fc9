package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"hearback/admin"
	"hearback/auth"
	"hearback/connectors"
	"hearback/connectors/fleet"
	"hearback/desk"
	"hearback/ticketstore/storetest"
)

// route is one operation of the whole API.
type route struct {
	*huma.Operation
	need, scope string
}

// withAdmin registers package admin beside the console, as cmd does.
func (w *world) withAdmin() {
	admin.New(admin.Options{
		Store: w.store, Fleet: noKinds{}, Auth: w.auth, Bus: w.bus, Actor: Actor,
	}).Register(w.api)
}

type noKinds struct{ admin.Fleet }

func (noKinds) ConsentOf(context.Context, string, desk.ID) (desk.ID, error) {
	return "", fleet.ErrConsent
}
func (noKinds) Kinds() []connectors.Kind            { return nil }
func (noKinds) Kind(string) (connectors.Kind, bool) { return connectors.Kind{}, false }

func (w *world) routes() []route {
	var all []route
	for _, item := range w.api.OpenAPI().Paths {
		for _, op := range operations(item) {
			r := route{Operation: op}
			r.need, _ = op.Metadata[metaPermission].(string)
			r.scope, _ = op.Metadata[metaScope].(string)
			all = append(all, r)
		}
	}
	return all
}

func (r route) at(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(r.Path, "{kind}", "none"), "{id}", id)
}

func TestEveryRouteDeclaresAKnownPermission(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.withAdmin()
	known := map[string]bool{public: true, self: true}
	for _, p := range (auth.Principal{Agent: desk.Agent{Role: desk.RoleAdmin}}).Permissions() {
		known[p] = true
	}
	if len(w.routes()) < 50 {
		t.Fatalf("only %d routes found", len(w.routes()))
	}
	for _, r := range w.routes() {
		if !known[r.need] {
			t.Errorf("%s %s needs %q, which no role has", r.Method, r.Path, r.need)
		}
		if r.need == public && r.OperationID != "log-in" {
			t.Errorf("%s %s is open to everybody", r.Method, r.Path)
		}
		ofTicket := strings.HasPrefix(r.Path, "/api/v1/tickets/{id}") || strings.HasPrefix(r.Path, "/api/v1/messages/{id}") ||
			strings.HasPrefix(r.Path, "/api/v1/attachments/{id}")
		if ofTicket != (r.scope != "") {
			t.Errorf("%s %s: scope %q", r.Method, r.Path, r.scope)
		}
	}
}

func TestEveryRouteHoldsItsPermissionForEveryRole(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.withAdmin()
	ticket, message := w.arrive("v1", "hello", w.support.ID)
	for _, r := range w.routes() {
		id := ticket
		if r.scope == "message" {
			id = message.ID
		}
		for _, who := range []desk.Agent{{}, w.wang, w.boss, w.admin} {
			status, answer := w.do(who, r.Method, r.at(id), "{}")
			switch {
			case who.ID == "" && r.need != public:
				if status != http.StatusUnauthorized {
					t.Errorf("%s %s by nobody: %d", r.Method, r.Path, status)
				}
			case who.ID == "":
			case r.need != public && r.need != self && !(auth.Principal{Agent: who}).Can(auth.Permission(r.need)):
				if status != http.StatusForbidden {
					t.Errorf("%s %s by %s: %d %v", r.Method, r.Path, who.Role, status, answer)
				}
			case status == http.StatusUnauthorized && r.need != public || status == http.StatusForbidden:
				t.Errorf("%s %s by %s: %d %v", r.Method, r.Path, who.Role, status, answer)
			}
			if status >= 500 {
				t.Errorf("%s %s by %s: %d %v", r.Method, r.Path, who.Role, status, answer)
			}
		}
	}
}

func TestTicketOutOfScopeDoesNotExistOnAnyRoute(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		w.withAdmin()
		ticket, message := w.arrive("v1", "hello", w.finance.ID)
		file := must(w.store.AddUpload(t.Context(), desk.Attachment{Name: "a.txt", Type: "text/plain", Blob: "sha256-none"}, w.boss.ID))(t)
		_, err := w.store.Note(t.Context(), ticket, desk.Author{Kind: "agent", ID: w.boss.ID}, "see file", []desk.ID{file.ID}, "key-for-note")
		w.ok(err)
		ids := map[string]desk.ID{"ticket": ticket, "message": message.ID, "attachment": file.ID}
		checked := 0
		for _, r := range w.routes() {
			if r.scope == "" {
				continue
			}
			checked++
			status, answer := w.do(w.wang, r.Method, r.at(ids[r.scope]), "{}")
			if status != http.StatusNotFound || answer["code"] != "not_found" {
				t.Errorf("%s %s: %d %v, want 404", r.Method, r.Path, status, answer)
			}
			unknown, _ := w.do(w.wang, r.Method, r.at(desk.NewID()), "{}")
			if unknown != http.StatusNotFound {
				t.Errorf("%s %s of no ticket: %d", r.Method, r.Path, unknown)
			}
		}
		if checked < 15 {
			t.Fatalf("only %d routes are about tickets", checked)
		}
	})
}

func TestScopesOfRolesOverRest(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ours, _ := w.arrive("v1", "one", w.support.ID)
		owned, _ := w.arrive("v2", "two", w.support.ID)
		theirs, _ := w.arrive("v3", "three", w.finance.ID)
		common, _ := w.arrive("v4", "four", "")
		w.give(owned, w.li)
		for _, c := range []struct {
			who  desk.Agent
			sees []desk.ID
		}{
			{w.wang, []desk.ID{ours, common}}, {w.li, []desk.ID{ours, owned, common}},
			{w.boss, []desk.ID{theirs, common}}, {w.admin, []desk.ID{ours, owned, theirs, common}},
		} {
			for _, id := range []desk.ID{ours, owned, theirs, common} {
				want := http.StatusNotFound
				if slices.Contains(c.sees, id) {
					want = http.StatusOK
				}
				w.want(want, c.who, "GET", "/api/v1/tickets/"+id, nil)
			}
			listed := w.want(200, c.who, "GET", "/api/v1/tickets", nil)["items"].([]any)
			if len(listed) != len(c.sees) {
				t.Errorf("%s lists %d tickets, want %d", c.who.Name, len(listed), len(c.sees))
			}
		}
	})
}

func TestForeignPageCannotWriteWithTheCookie(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	hash := must(w.auth.HashPassword("a long password"))(t)
	w.ok(w.store.SetPassword(t.Context(), w.wang.ID, hash, false))
	login := must(w.auth.LogIn(t.Context(), w.wang.Email, "a long password", "", ""))(t)
	write := func(origin, site string) (int, map[string]any) {
		r, _ := http.NewRequest("DELETE", w.server.URL+"/api/v1/session", nil)
		r.AddCookie(w.auth.Cookie(login.Secret))
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		return w.send(desk.Agent{}, r)
	}
	for _, from := range [][2]string{{"https://evil.example", "cross-site"}, {"https://evil.example", ""}, {"", "cross-site"}, {"null", ""}} {
		if status, answer := write(from[0], from[1]); status != http.StatusForbidden || answer["code"] != "cross_origin" {
			t.Errorf("from %v: %d %v", from, status, answer)
		}
	}
	if status, _ := write(w.server.URL, "same-origin"); status != http.StatusNoContent {
		t.Errorf("from our own page: %d", status)
	}
	if left := must(w.store.Sessions(t.Context(), w.wang.ID))(t); len(left) != 0 {
		t.Errorf("%d sessions are left", len(left))
	}
}

func TestMustChangeLetsNothingElseThrough(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(w.store.SetPassword(t.Context(), w.wang.ID, must(w.auth.HashPassword("first password"))(t), true))
	body := map[string]string{"email": w.wang.Email, "password": "first password"}
	if a := w.want(200, desk.Agent{}, "POST", "/api/v1/session", body); a["must_change_password"] != true {
		t.Fatal(a)
	}
	login := must(w.auth.LogIn(t.Context(), w.wang.Email, "first password", "", ""))(t)
	ask := func(method, path, body string) (int, map[string]any) {
		r, _ := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.AddCookie(w.auth.Cookie(login.Secret))
		return w.send(desk.Agent{}, r)
	}
	if status, a := ask("GET", "/api/v1/tickets", ""); status != 403 || a["code"] != "password_change_required" {
		t.Fatal(status, a)
	}
	if status, a := ask("POST", "/api/v1/session/password", `{"old":"first password","new":"short"}`); status != 422 {
		t.Fatal(status, a)
	}
	if status, a := ask("POST", "/api/v1/session/password", `{"old":"first password","new":"second password"}`); status != 204 {
		t.Fatal(status, a)
	}
	if status, a := ask("GET", "/api/v1/tickets", ""); status != 200 {
		t.Fatal(status, a)
	}
}

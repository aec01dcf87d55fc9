package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hearback/desk"
	"hearback/vault"
)

func TestChannelSecretsAreSealedAndKept(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		const secret = "correct-horse-battery"
		secrets := []string{"imap_password", "smtp_password"}
		ch := must(w.SaveChannel(ctx, desk.Channel{Kind: "email", Name: "客服", Enabled: true, TeamID: "money",
			Settings: map[string]string{"address": "help@example.com", "imap_password": secret, "smtp_password": ""}}, secrets))(t)
		if ch.Version != 1 || ch.Settings["imap_password"] != secret || ch.CreatedAt != noon {
			t.Errorf("%+v", ch)
		}
		w.nowhere(t, secret)

		// The form sends empty secrets back: they stay. Plain settings that are gone are gone.
		ch.Name, ch.Settings = "售后", map[string]string{"imap_host": "mail.example.com", "imap_password": ""}
		ch = must(w.SaveChannel(ctx, ch, secrets))(t)
		if ch.Version != 2 || ch.Name != "售后" || ch.Settings["imap_password"] != secret || ch.Settings["imap_host"] == "" || ch.Settings["address"] != "" {
			t.Errorf("%+v", ch)
		}
		all := must(w.Channels(ctx))(t)
		again := must(w.Channel(ctx, ch.ID))(t)
		if len(all) != 1 || all[0].Settings["imap_password"] != secret || again.Settings["imap_password"] != secret {
			t.Errorf("%+v, %+v", all, again)
		}
		status := must(w.ChannelSecrets(ctx, ch.ID))(t)
		if len(status) != 1 || status[0].Field != "imap_password" || status[0].LastFour != "tery" {
			t.Errorf("%+v", status)
		}

		ch.Settings["smtp_password"] = "short"
		ch = must(w.SaveChannel(ctx, ch, secrets))(t)
		if status := must(w.ChannelSecrets(ctx, ch.ID))(t); status[1].LastFour != "" {
			t.Errorf("most of a short secret is told: %+v", status)
		}
	})
}

// nowhere looks for text in everything the store keeps about channels.
func (w *world) nowhere(t *testing.T, text string) {
	t.Helper()
	for _, query := range []string{`SELECT settings FROM channels`, `SELECT sealed FROM channel_secrets`, `SELECT last_four FROM channel_secrets`} {
		var stored []string
		if err := w.db.Select(&stored, query); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.Join(stored, "\n"), text) {
			t.Errorf("%s shows the secret", query)
		}
	}
}

func TestLaterSaveOfAnOldFormIsRefused(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first := must(w.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a"}, nil))(t)
		if _, err := w.SaveChannel(ctx, first, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SaveChannel(ctx, first, nil); !errors.Is(err, desk.ErrConflict) {
			t.Error(err)
		}
		if _, err := w.SaveChannel(ctx, desk.Channel{ID: "none", Kind: "k", Name: "a"}, nil); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
		if _, err := w.SaveChannel(ctx, desk.Channel{Kind: "k"}, nil); !errors.Is(err, desk.ErrInvalid) {
			t.Error(err)
		}
	})
}

func TestSecretMovedToAnotherChannelDoesNotOpen(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		const secret = "correct-horse-battery"
		save := func() desk.Channel {
			return must(w.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a", Settings: map[string]string{"token": secret}}, []string{"token"}))(t)
		}
		a, b := save(), save()
		w.exec(t, `UPDATE channel_secrets SET sealed = (SELECT x.sealed FROM channel_secrets x WHERE x.channel_id = ?) WHERE channel_id = ?`, a.ID, b.ID)
		_, err := w.Channel(ctx, b.ID)
		if !errors.Is(err, vault.ErrDamaged) {
			t.Error(err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Error("the error tells the secret")
		}
	})
}

func TestKeyIsRotatedForAllSecretsAtOnce(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for range 3 {
			must(w.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a", Settings: map[string]string{"token": "correct-horse-battery"}}, []string{"token"}))(t)
		}
		oldKey, newKey := vault.NewKey(), vault.NewKey()
		first := must(vault.Open(oldKey))(t)
		if _, err := w.ResealAll(ctx, first); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("resealed by a vault that cannot open: %v", err)
		}
		// The store's own vault has a key of its own; a world that knows both is needed to go on.
		opt := w.opt
		if strings.HasPrefix(opt.URL, "sqlite:") {
			opt.URL += ".second"
		} else {
			opt.URL = PostgresURL(t)
		}
		opt.Vault = first
		s := Open(t, opt)
		for range 3 {
			must(s.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a", Settings: map[string]string{"token": "correct-horse-battery"}}, []string{"token"}))(t)
		}
		both := must(vault.Open(newKey + "\n" + oldKey))(t)
		if n := must(s.ResealAll(ctx, both))(t); n != 3 {
			t.Errorf("%d resealed", n)
		}
		if n := must(s.ResealAll(ctx, both))(t); n != 0 {
			t.Errorf("%d resealed again", n)
		}
		opt.Vault = must(vault.Open(newKey))(t)
		later := Open(t, opt) // the check value went along
		for _, ch := range must(later.Channels(ctx))(t) {
			if ch.Settings["token"] != "correct-horse-battery" {
				t.Errorf("%+v", ch)
			}
		}
		if _, err := s.Channels(ctx); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("the old key still opens: %v", err)
		}
	})
}

func TestHealthTellsLastSuccessAndWhatWaits(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ch := must(w.SaveChannel(ctx, desk.Channel{Kind: "k", Name: "a"}, nil))(t)
		if h := must(w.Health(ctx, ch.ID))(t); h.LastSuccessAt != 0 || h.Held || h.Waiting != 0 {
			t.Errorf("%+v", h)
		}
		if err := w.SetHealth(ctx, ch.ID, true, "ignored"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if err := w.SetHealth(ctx, ch.ID, false, strings.Repeat("密", 300)); err != nil {
			t.Fatal(err)
		}
		for i, state := range []string{"queued", "sending", "held", "sent", "failed"} {
			w.put(t, "deliveries", "id", desk.NewID(), "message_id", desk.NewID(), "ticket_id", "t", "channel_id", ch.ID, "seq", i, "external_id", "",
				"automatic", false, "state", state, "next_attempt_at", 0, "give_up_at", 0, "created_at", 0, "updated_at", 0)
		}
		h := must(w.Health(ctx, ch.ID))(t)
		if h.LastSuccessAt != noon || h.LastFailureAt != noon.Add(time.Minute) || !strings.HasPrefix(h.LastError, "密密") || h.Waiting != 3 {
			t.Errorf("%+v", h)
		}
		if all := must(w.HealthAll(ctx))(t); all[ch.ID] != h {
			t.Errorf("%+v", all)
		}
		if err := w.SetHealth(ctx, ch.ID, true, ""); err != nil {
			t.Fatal(err)
		}
		if h := must(w.Health(ctx, ch.ID))(t); h.LastError != "" || h.LastSuccessAt != noon.Add(time.Minute) {
			t.Errorf("%+v", h)
		}
		if _, err := w.Health(ctx, "none"); !errors.Is(err, desk.ErrNotFound) {
			t.Error(err)
		}
		if c := must(w.Cursor(ctx, ch.ID))(t); c != nil {
			t.Errorf("%q", c)
		}
		w.put(t, "channel_cursors", "channel_id", ch.ID, "cursor", []byte("uid 7"))
		if c := must(w.Cursor(ctx, ch.ID))(t); string(c) != "uid 7" {
			t.Errorf("%q", c)
		}
	})
}

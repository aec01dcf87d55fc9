package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hearback/bus"
	"hearback/configs"
	"hearback/connectors/fleet"
	"hearback/ticketstore"
	"hearback/vault"
)

type doctorCmd struct{}

// A finding is one thing the doctor looked at.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Run looks at everything and fails when something is wrong. It changes nothing but the database's version.
func (doctorCmd) Run(g *globals) error {
	c, err := g.load()
	if err != nil {
		return err
	}
	found := examine(context.Background(), c)
	bad := 0
	var text []string
	for _, f := range found {
		mark := "ok  "
		if !f.OK {
			mark, bad = "BAD ", bad+1
		}
		text = append(text, mark+f.Check+": "+f.Detail)
	}
	g.show(found, strings.Join(text, "\n"))
	if bad > 0 {
		return fmt.Errorf("%d of %d checks failed", bad, len(found))
	}
	return nil
}

func examine(ctx context.Context, c configs.Config) (out []finding) {
	add := func(check string, err error, fine string) bool {
		detail := fine
		if err != nil {
			detail = err.Error()
		}
		out = append(out, finding{check, err == nil, detail})
		return err == nil
	}
	add("configuration", nil, "listen "+c.Listen+", public address "+publicURL(c))
	add("data folder", writable(c.Data), c.Data+" can be written")
	v, made, err := openVault(c)
	if !add("master key", err, keyWords(c, made)) {
		return out
	}
	add("master key file", private(c), "only its owner can read it")
	store, err := openStore(ctx, c, v, newLogger(c))
	if !add("database", err, strings.SplitN(c.Database, ":", 2)[0]+" answers and is up to date") {
		return out
	}
	defer store.Close()
	add("redis", pingRedis(ctx, c), strings.SplitN(c.Redis, ":", 2)[0]+" answers")
	out = append(out, examineChannels(ctx, store)...)
	return append(out, examineWork(ctx, store)...)
}

func keyWords(c configs.Config, made bool) string {
	switch {
	case c.MasterKey != "":
		return "given by the configuration"
	case made:
		return "made just now in " + masterKeyFile(c) + ": keep a copy in a safe place, without it stored credentials are lost"
	}
	return masterKeyFile(c) + ": keep a copy in a safe place"
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

func private(c configs.Config) error {
	info, err := os.Stat(masterKeyFile(c))
	if c.MasterKey != "" && os.IsNotExist(err) {
		return nil
	}
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("others may read %s; run: chmod 600 %s", masterKeyFile(c), filepath.Clean(masterKeyFile(c)))
	}
	return err
}

func pingRedis(ctx context.Context, c configs.Config) error {
	b, err := bus.Open(ctx, bus.Options{URL: c.Redis, Logger: newLogger(c)})
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return b.Ping(ctx)
}

func examineChannels(ctx context.Context, s *ticketstore.Store) (out []finding) {
	channels, err := s.Channels(ctx)
	if err != nil {
		return []finding{{"channels", false, err.Error()}}
	}
	health, err := s.HealthAll(ctx)
	if err != nil {
		return []finding{{"channels", false, err.Error()}}
	}
	for _, ch := range channels {
		f := finding{Check: "channel " + ch.Name, OK: true, Detail: ch.Kind + ", " + fleet.Light(ch.Enabled, health[ch.ID])}
		if kind, ok := kindNamed(ch.Kind); !ok {
			f.OK, f.Detail = false, "this build has no channel kind "+ch.Kind
		} else if err := problems(fleet.Validate(kind, ch.Settings)); err != nil {
			f.OK, f.Detail = false, err.Error()
		} else if fleet.Light(ch.Enabled, health[ch.ID]) == "error" {
			f.OK, f.Detail = false, health[ch.ID].LastError
		}
		out = append(out, f)
	}
	return out
}

// examineWork looks for what waits longer than it should.
func examineWork(ctx context.Context, s *ticketstore.Store) []finding {
	due, err := s.NextInboxDue(ctx)
	if err != nil {
		return []finding{{"inbox", false, err.Error()}}
	}
	f := finding{"inbox", true, "nothing waits"}
	if due != 0 {
		f.Detail = "envelopes wait to be filed since " + due.String()
		f.OK = time.Since(due.Std()) < 5*time.Minute
	}
	counts, err := s.LedgerCounts(ctx)
	if err != nil {
		return []finding{f, {"ledger", false, err.Error()}}
	}
	dead := counts["dead"]
	return []finding{f, {"ledger", dead == 0, fmt.Sprintf("%d envelopes put aside as unreadable", dead)}}
}

type migrateCmd struct{}

// Run opens the database, which brings it up to date.
func (migrateCmd) Run(g *globals) error {
	return g.withStore(func(_ context.Context, _ configs.Config, s *ticketstore.Store) error {
		g.show(map[string]any{"ok": true, "engine": s.Engine()}, "The database ("+s.Engine()+") is up to date.")
		return nil
	})
}

type secretsCmd struct {
	Rotate secretsRotate `cmd:"" help:"Make a new master key and seal every secret with it."`
}

type secretsRotate struct{}

// Run adds a key in front of the old ones and seals everything anew. Nodes that still run with the old keys must be
// restarted with the new file before the old key is taken out of it.
func (secretsRotate) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, c configs.Config, s *ticketstore.Store) error {
		if c.MasterKey != "" {
			return fmt.Errorf("the master key comes from the configuration: hearback can only rewrite the key file in the data folder. "+
				"Unset it for this command, with the same key in %s", masterKeyFile(c))
		}
		v, err := vault.AddKey(masterKeyFile(c))
		if err != nil {
			return err
		}
		n, err := s.ResealAll(ctx, v)
		if err != nil {
			return fmt.Errorf("the new key is in %s, but not every secret is sealed with it; run this again: %w", masterKeyFile(c), err)
		}
		g.show(map[string]any{"key": v.KeyID(), "resealed": n},
			fmt.Sprintf("Key %s seals every secret now (%d). Keep a copy of %s, restart every node, then the old lines can be deleted.", v.KeyID(), n, masterKeyFile(c)))
		return nil
	})
}

type openapiCmd struct{}

// Run prints the description.
func (openapiCmd) Run() error {
	b, err := apiSpec()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(b, '\n'))
	return err
}

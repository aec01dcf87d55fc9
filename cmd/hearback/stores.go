package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hearback/configs"
	"hearback/normalizer"
	"hearback/ticketstore"
	"hearback/vault"
)

// masterKeyFile is where the master key lies when the configuration does not give it.
func masterKeyFile(c configs.Config) string { return filepath.Join(c.Data, "master.key") }

// openVault reads or makes the master key. made tells that it is new and wants a backup.
func openVault(c configs.Config) (v *vault.Vault, made bool, err error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, false, fmt.Errorf("the data folder cannot be made: %w; choose another one with --data", err)
	}
	return vault.LoadOrCreate(masterKeyFile(c), c.MasterKey)
}

// openStore opens the ticket store as the configuration says.
func openStore(ctx context.Context, c configs.Config, v *vault.Vault, log *slog.Logger) (*ticketstore.Store, error) {
	url := c.Database
	if url == "sqlite" {
		url = "sqlite:" + filepath.Join(c.Data, "hearback.db")
	}
	zone, err := zoneOf(c)
	if err != nil {
		return nil, err
	}
	store, err := ticketstore.Open(ctx, ticketstore.Options{URL: url, Vault: v, Logger: log, Tokenize: normalizer.SearchWords, Location: zone})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return store, nil
}

// zoneOf is the zone in which a day of ticket numbers begins.
func zoneOf(c configs.Config) (*time.Location, error) {
	if c.TimeZone == "" {
		return time.Local, nil
	}
	return time.LoadLocation(c.TimeZone)
}

// withStore runs a command that only needs the database.
func (g *globals) withStore(f func(context.Context, configs.Config, *ticketstore.Store) error) error {
	ctx := context.Background()
	c, err := g.load()
	if err != nil {
		return err
	}
	v, _, err := openVault(c)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, c, v, newLogger(c))
	if err != nil {
		return err
	}
	defer store.Close()
	return f(ctx, c, store)
}

// newLogger writes to standard error as the configuration says.
func newLogger(c configs.Config) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(c.Log.Level)) // one of the four words: checked on load
	opt := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opt))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opt))
}

// publicURL is where customers reach the gateway.
func publicURL(c configs.Config) string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	listen := c.Listen
	if strings.HasPrefix(listen, ":") || strings.HasPrefix(listen, "0.0.0.0:") {
		listen = "127.0.0.1" + listen[strings.LastIndex(listen, ":"):]
	}
	return "http://" + listen
}

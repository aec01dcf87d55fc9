package ticketstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// A Store is the open database. It is safe for concurrent use and by several processes at once on PostgreSQL.
type Store struct {
	opt     Options
	log     *slog.Logger
	dialect dialect
	read    *sqlx.DB // readers; on PostgreSQL also the writers
	keyed   *sqlx.DB // PostgreSQL: for taking envelopes into safety
	repeats *sqlx.DB // PostgreSQL: for filing, which is done again when a crash of the database undoes it
	writer  *writer  // SQLite's one writing connection; nil on PostgreSQL
	queries sync.Map // queryKey -> string: statements already written for this engine
}

// Open connects, brings the schema up to date and proves the vault's master key. It changes nothing when the key is wrong.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Location == nil {
		opt.Location = time.Local
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{opt: opt, log: opt.Logger}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("open ticket store: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open ticket store: %w", err), s.Close())
	}
	return s, nil
}

// connect opens the pools; nothing is written.
func (s *Store) connect(ctx context.Context) (err error) {
	d, dsn, err := dialectOf(s.opt.URL)
	if err != nil {
		return err
	}
	s.dialect = d
	if d.name == "postgres" {
		return errors.Join(s.openPool(&s.read, dsn, usual), s.openPool(&s.keyed, dsn, keyed), s.openPool(&s.repeats, dsn, repeats))
	}
	s.read, s.writer, err = openSQLite(ctx, dsn)
	return err
}

func (s *Store) openPool(pool **sqlx.DB, dsn string, settings map[string]string) (err error) {
	*pool, err = openPostgres(dsn, settings)
	return err
}

// prepare proves the key, migrates and stores the key's check value, in this order.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("reach database: %w", s.fault(err))
	}
	if err := s.verifyKey(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", s.fault(err))
	}
	return s.rememberKey(ctx)
}

const vaultCheckKey = "vault_check"

// verifyKey compares the vault with the database before anything is written. A database without the value is a new one.
func (s *Store) verifyKey(ctx context.Context) error {
	if s.opt.Vault == nil {
		return nil
	}
	exists, err := s.dialect.hasTable(ctx, s.read, "meta")
	if err != nil || !exists {
		return s.fault(err)
	}
	var check string
	err = s.read.GetContext(ctx, &check, s.q(`SELECT value FROM meta WHERE key = ?`), vaultCheckKey)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read vault check: %w", s.fault(err))
	}
	return s.opt.Vault.Verify(check)
}

// rememberKey stores the check value of a new database; of two nodes starting at once the first one's counts.
func (s *Store) rememberKey(ctx context.Context) error {
	if s.opt.Vault == nil {
		return nil
	}
	check, err := s.opt.Vault.Check()
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, vaultCheckKey, check)
		return err
	})
	if err != nil {
		return fmt.Errorf("store vault check: %w", err)
	}
	return s.verifyKey(ctx)
}

// Close ends all connections. Transactions under way are finished or rolled back first.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	for _, pool := range []*sqlx.DB{s.repeats, s.keyed, s.read} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Ready tells whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var one int
	if err := s.read.GetContext(ctx, &one, `SELECT 1`); err != nil {
		return fmt.Errorf("ask database: %w", s.fault(err))
	}
	return nil
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.dialect.name }

// now is the injected clock.
func (s *Store) now() desk.Time { return desk.At(s.opt.Now()) }

package ticketstore

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hearback/desk"
)

// fault gives a database error its meaning for the rest of the house: full, read only, locked or gone is
// desk.ErrUnavailable. What the store itself said (desk errors) and the caller's own cancellation pass unchanged.
func (s *Store) fault(err error) error {
	if err == nil || errors.Is(err, desk.ErrUnavailable) || !isAway(err) {
		return err
	}
	return fmt.Errorf("%w: %w", desk.ErrUnavailable, err)
}

func isAway(err error) bool {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM:
			return true
		}
		return false
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case pg.Code == "25006": // read_only_sql_transaction: a standby, or the operator's own setting
			return true
		case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57"),
			strings.HasPrefix(pg.Code, "58"), strings.HasPrefix(pg.Code, "40"), strings.HasPrefix(pg.Code, "55"):
			return true // connection, resources (disk full), operator, system, rollback, lock not available
		}
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok && !strings.Contains(err.Error(), "context canceled") {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed")
}

// errOvertaken tells that somebody changed a ticket between our look and our write.
var errOvertaken = errors.New("ticket changed meanwhile")

// isVictim tells that a transaction was undone only because of others: it may be run again at once.
func isVictim(err error) bool {
	if errors.Is(err, errOvertaken) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

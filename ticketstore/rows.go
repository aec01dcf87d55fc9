package ticketstore

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// A source answers queries: the readers' pool or a transaction.
type source interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// list reads all rows of a query. Slices among args are spread over their IN (?); an empty one is an error.
func list[T any](ctx context.Context, s *Store, from source, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	query, args, err := sqlx.In(query, args...)
	if err != nil {
		return nil, err
	}
	rows, err := from.QueryContext(ctx, s.q(query), cleanAll(args)...)
	if err != nil {
		return nil, s.fault(err)
	}
	found := []T{}
	err = eachRow(rows, func(r *sql.Rows) error {
		x, err := scan(r)
		found = append(found, x)
		return err
	})
	return found, s.fault(err)
}

// one reads the first row of a query; desk.ErrNotFound when there is none.
func one[T any](ctx context.Context, s *Store, from source, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	found, err := list(ctx, s, from, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = desk.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// into makes a row's reader from the list of places its columns are scanned to.
func into[T any](dest func(*T) []any) func(scanner) (T, error) {
	return func(row scanner) (T, error) {
		var x T
		err := row.Scan(dest(&x)...)
		return x, err
	}
}

// plain scans a single column.
func plain[T any](row scanner) (T, error) {
	var v T
	err := row.Scan(&v)
	return v, err
}

// pageSize is a list's length: 50 when not asked for, 200 at most.
func pageSize(asked int) int {
	if asked <= 0 {
		return 50
	}
	return min(asked, 200)
}

// encodeCursor makes a page's end opaque, so that nobody builds on what is in it.
func encodeCursor(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("ticketstore: cursor %T: %v", v, err)) // only our own plain types come here
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads what encodeCursor made; anything else is desk.ErrInvalid.
func decodeCursor(cursor string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return fmt.Errorf("read cursor: %w", desk.ErrInvalid)
	}
	return nil
}

// changed is exec's answer where exactly one row must have been there: desk.ErrNotFound when none was.
func changed(n int64, err error) error {
	if err == nil && n == 0 {
		return desk.ErrNotFound
	}
	return err
}

// pageByID cuts a list read one too long to limit and returns the cursor of its last element's id, "" at the end.
func pageByID[T any](found []T, limit int, id func(T) desk.ID) ([]T, string) {
	if len(found) <= limit {
		return found, ""
	}
	found = found[:limit]
	return found, encodeCursor(id(found[limit-1]))
}

package ticketstore

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
)

// A bulk is a set of rows handed to a statement as the table v, so that one statement does the work of many:
//
//	b := newBulk("id text, seq bigint", n)
//	b.add(id, seq)
//	t.bulkExec(b, `UPDATE tickets SET version = v.seq FROM v WHERE tickets.id = v.id`)
//
// PostgreSQL gets one array per column and SQLite a VALUES list in a few fixed lengths, so that either engine sees few
// distinct statements and keeps them prepared. On SQLite a statement over many rows is run in parts.
//
// An INSERT that reads v and has an ON CONFLICT clause must say WHERE true before it: SQLite takes ON for a join otherwise.
type bulk struct {
	spec string
	cols []bulkColumn
	vals []any // row after row, of the types string, int64, bool, []byte and nil
}

type bulkColumn struct {
	name string
	typ  string // text, bigint, boolean, bytea, jsonb; a text column that ends in ? may hold nil
	null bool
}

// newBulk reads "name type, name type, …" and makes room for n rows.
func newBulk(spec string, n int) *bulk {
	b := &bulk{spec: spec}
	for part := range strings.SplitSeq(spec, ",") {
		name, typ, _ := strings.Cut(strings.TrimSpace(part), " ")
		b.cols = append(b.cols, bulkColumn{name: name, typ: strings.TrimSuffix(typ, "?"), null: strings.HasSuffix(typ, "?")})
	}
	b.vals = make([]any, 0, n*len(b.cols))
	return b
}

// add appends one row; text is cleaned on the way.
func (b *bulk) add(values ...any) {
	if len(values) != len(b.cols) {
		panic(fmt.Sprintf("ticketstore: %d values for columns %q", len(values), b.spec))
	}
	for _, v := range values {
		b.vals = append(b.vals, basic(v))
	}
}

func (b *bulk) len() int { return len(b.vals) / len(b.cols) }

// basic reduces the vocabulary's named types to what drivers take.
func basic(v any) any {
	switch x := v.(type) {
	case string:
		return clean(x)
	case int64, bool, []byte, nil:
		return v
	case int:
		return int64(x)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String:
		return clean(r.String())
	case reflect.Int, reflect.Int64:
		return r.Int()
	}
	panic(fmt.Sprintf("ticketstore: %T in a bulk", v))
}

// bulkExec runs a statement over all rows of b and returns how many rows it touched. No rows: nothing is run.
func (t *tx) bulkExec(b *bulk, query string, args ...any) (int64, error) {
	var touched int64
	err := t.inParts(b, query, args, func(q string, all []any) error {
		r, err := t.on.ExecContext(t.ctx, q, all...)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		touched += n
		return err
	})
	return touched, err
}

// bulkEach runs a query over all rows of b and calls scan for every row that comes back.
func (t *tx) bulkEach(b *bulk, scan func(*sql.Rows) error, query string, args ...any) error {
	return t.inParts(b, query, args, func(q string, all []any) error {
		rows, err := t.on.QueryContext(t.ctx, q, all...)
		if err != nil {
			return err
		}
		return eachRow(rows, scan)
	})
}

// inParts gives run the statement and its arguments: once on PostgreSQL, for every part on SQLite.
func (t *tx) inParts(b *bulk, query string, args []any, run func(string, []any) error) error {
	n := b.len()
	if n == 0 {
		return nil
	}
	args = cleanAll(args)
	if t.s.dialect.name == "postgres" {
		return run(t.s.bulkQuery(b, query, 0), append(b.arrays(), args...))
	}
	width := len(b.cols)
	for at := 0; at < n; {
		size := partSize(n - at)
		part := b.vals[at*width : (at+size)*width]
		all := append(append(make([]any, 0, len(part)+len(args)), part...), args...)
		if err := run(t.s.bulkQuery(b, query, size), all); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// partSize keeps the number of distinct statement lengths small.
func partSize(left int) int {
	for _, size := range [...]int{64, 16, 4} {
		if left >= size {
			return size
		}
	}
	return 1
}

type queryKey struct {
	spec, query string
	size        int
}

// bulkQuery puts the rows in front of the query as a common table expression. Written once per length.
func (s *Store) bulkQuery(b *bulk, query string, size int) string {
	key := queryKey{b.spec, query, size}
	if q, ok := s.queries.Load(key); ok {
		return q.(string)
	}
	var names, body strings.Builder
	for i, c := range b.cols {
		if i > 0 {
			names.WriteString(", ")
		}
		names.WriteString(c.name)
	}
	if size == 0 {
		body.WriteString("SELECT * FROM unnest(")
		for i, c := range b.cols {
			if i > 0 {
				body.WriteString(", ")
			}
			body.WriteString("?::" + c.typ + "[]")
		}
		body.WriteString(")")
	} else {
		row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(b.cols)), ", ") + ")"
		body.WriteString("VALUES " + strings.TrimSuffix(strings.Repeat(row+", ", size), ", "))
	}
	q := s.q("WITH v (" + names.String() + ") AS (" + body.String() + ") " + query)
	s.queries.Store(key, q)
	return q
}

// arrays turns the rows into one typed slice per column.
func (b *bulk) arrays() []any {
	n, width := b.len(), len(b.cols)
	out := make([]any, width)
	for c, col := range b.cols {
		switch {
		case col.typ == "bigint":
			out[c] = column[int64](b.vals, c, width, n)
		case col.typ == "boolean":
			out[c] = column[bool](b.vals, c, width, n)
		case col.typ == "bytea":
			out[c] = column[[]byte](b.vals, c, width, n)
		case col.null:
			out[c] = nullable(b.vals, c, width, n)
		default:
			out[c] = column[string](b.vals, c, width, n)
		}
	}
	return out
}

func column[T any](vals []any, c, width, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i], _ = vals[i*width+c].(T) // nil stays the zero value; for bytea that is NULL
	}
	return out
}

func nullable(vals []any, c, width, n int) []*string {
	out := make([]*string, n)
	for i := range out {
		if s, ok := vals[i*width+c].(string); ok {
			out[i] = &s
		}
	}
	return out
}

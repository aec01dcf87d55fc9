package ticketstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"

	"hearback/desk"
)

// Enqueue stores a piece of later work. Of two jobs with the same DedupeKey only the first is stored, also after it was done;
// stored tells.
func (s *Store) Enqueue(ctx context.Context, j Job) (stored bool, err error) {
	if j.ID == "" {
		j.ID = desk.NewID()
	}
	if j.Max <= 0 {
		j.Max = 10
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := t.exec(`INSERT INTO jobs (id, kind, dedupe_key, payload, run_at, max, deadline_at, state, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?) ON CONFLICT DO NOTHING`,
			j.ID, j.Kind, orNull(clean(j.DedupeKey)), rawJSON(j.Payload), int64(j.RunAt), j.Max, int64(j.DeadlineAt), int64(s.now()))
		stored = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("enqueue %s job: %w", j.Kind, err)
	}
	return stored, nil
}

// ClaimJobs takes at most limit due jobs of some kinds, earliest first, and leases them until leaseUntil. Attempts counts this
// one. Jobs past their deadline are dead instead.
func (s *Store) ClaimJobs(ctx context.Context, kinds []string, limit int, leaseUntil desk.Time) ([]Job, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	var claimed []Job
	err := s.write(ctx, func(t *tx) error {
		now := int64(s.now())
		q, args, err := sqlx.In(`UPDATE jobs SET state = 'dead', last_error = 'deadline passed' WHERE state = 'waiting' AND deadline_at > 0 AND deadline_at <= ? AND run_at <= ? AND kind IN (?)`, now, now, kinds)
		if err != nil {
			return err
		}
		if _, err := t.exec(q, args...); err != nil {
			return err
		}
		claimed, err = list(t.ctx, s, t, scanJob, `SELECT id, kind, COALESCE(dedupe_key, ''), payload, run_at, attempts + 1, max, deadline_at FROM jobs
			WHERE state = 'waiting' AND run_at <= ? AND kind IN (?) ORDER BY run_at, id LIMIT ?`+s.dialect.skipLocked, now, kinds, limit)
		if err != nil {
			return err
		}
		b := newBulk("id text", len(claimed))
		for _, j := range claimed {
			b.add(j.ID)
		}
		_, err = t.bulkExec(b, `UPDATE jobs SET attempts = attempts + 1, run_at = ? FROM v WHERE jobs.id = v.id`, int64(leaseUntil))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return claimed, nil
}

func scanJob(row scanner) (Job, error) {
	var j Job
	var payload []byte
	err := row.Scan(&j.ID, &j.Kind, &j.DedupeKey, &payload, &j.RunAt, &j.Attempts, &j.Max, &j.DeadlineAt)
	j.Payload = payload
	return j, err
}

// FinishJob marks a job done.
func (s *Store) FinishJob(ctx context.Context, id desk.ID) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE jobs SET state = 'done' WHERE id = ? AND state = 'waiting'`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish job: %w", err)
	}
	return nil
}

// FailJob puts a job back until retryAt, or marks it dead when its attempts or its time are used up.
func (s *Store) FailJob(ctx context.Context, id desk.ID, reason string, retryAt desk.Time) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE jobs SET last_error = ?, run_at = ?,
			state = CASE WHEN attempts >= max OR deadline_at > 0 AND deadline_at <= ? THEN 'dead' ELSE 'waiting' END WHERE id = ? AND state = 'waiting'`,
			reason, int64(retryAt), int64(retryAt), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("fail job: %w", err)
	}
	return nil
}

// NextJobDue tells when the next waiting job falls due; 0 when none waits.
func (s *Store) NextJobDue(ctx context.Context) (desk.Time, error) {
	var due sql.NullInt64
	if err := s.read.GetContext(ctx, &due, `SELECT MIN(run_at) FROM jobs WHERE state = 'waiting'`); err != nil {
		return 0, fmt.Errorf("find next due job: %w", s.fault(err))
	}
	return desk.Time(due.Int64), nil
}

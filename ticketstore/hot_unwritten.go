package ticketstore

import (
	"context"
	"encoding/json"

	"hearback/desk"
)

func (s *Store) Reply(ctx context.Context, in ReplyInput) (ReplyResult, error) {
	return ReplyResult{}, errUnwritten
}
func (s *Store) Note(ctx context.Context, ticket desk.ID, author desk.Author, text string, attachments []desk.ID, idempotencyKey string) (ReplyResult, error) {
	return ReplyResult{}, errUnwritten
}
func (s *Store) ClaimDeliveries(ctx context.Context, limit int, leaseUntil desk.Time) ([]ClaimedDelivery, error) {
	return nil, errUnwritten
}
func (s *Store) Settle(ctx context.Context, settlements []Settlement) ([]desk.Event, error) {
	return nil, errUnwritten
}
func (s *Store) RetryDelivery(ctx context.Context, message desk.ID, actor desk.Author) ([]desk.Event, error) {
	return nil, errUnwritten
}
func (s *Store) HoldChannel(ctx context.Context, channel desk.ID, reason string) ([]desk.Event, error) {
	return nil, errUnwritten
}
func (s *Store) ReleaseChannel(ctx context.Context, channel desk.ID) ([]desk.Event, error) {
	return nil, errUnwritten
}
func (s *Store) NextDeliveryDue(ctx context.Context) (desk.Time, error) { return 0, errUnwritten }
func (s *Store) Assign(ctx context.Context, assignments []Assignment) ([]AssignResult, error) {
	return nil, errUnwritten
}
func (s *Store) Unassign(ctx context.Context, ticket desk.ID, epoch int64, toTeam *desk.ID, kind string, actor desk.Author, reason string) (AssignResult, error) {
	return AssignResult{}, errUnwritten
}
func (s *Store) Loads(ctx context.Context, after desk.ID, limit int) ([]Load, error) {
	return nil, errUnwritten
}
func (s *Store) LoadsByID(ctx context.Context, ids []desk.ID) ([]Load, error) {
	return nil, errUnwritten
}
func (s *Store) MaxEpoch(ctx context.Context) (int64, error) { return 0, errUnwritten }
func (s *Store) AddDecision(ctx context.Context, ticket desk.ID, kind string, detail json.RawMessage) error {
	return errUnwritten
}
func (s *Store) Decisions(ctx context.Context, ticket desk.ID) ([]Decision, error) {
	return nil, errUnwritten
}
func (s *Store) Change(ctx context.Context, c Change) (desk.Ticket, []desk.Event, error) {
	return desk.Ticket{}, nil, errUnwritten
}
func (s *Store) Merge(ctx context.Context, into, from desk.ID, actor desk.Author) ([]desk.Event, error) {
	return nil, errUnwritten
}
func (s *Store) Split(ctx context.Context, ticket, firstMessage desk.ID, actor desk.Author) (desk.Ticket, []desk.Event, error) {
	return desk.Ticket{}, nil, errUnwritten
}
func (s *Store) Enqueue(ctx context.Context, j Job) (stored bool, err error) {
	return false, errUnwritten
}
func (s *Store) ClaimJobs(ctx context.Context, kinds []string, limit int, leaseUntil desk.Time) ([]Job, error) {
	return nil, errUnwritten
}
func (s *Store) FinishJob(ctx context.Context, id desk.ID) error { return errUnwritten }
func (s *Store) FailJob(ctx context.Context, id desk.ID, reason string, retryAt desk.Time) error {
	return errUnwritten
}
func (s *Store) Lease(ctx context.Context, name, holder string, until desk.Time) (held bool, err error) {
	return false, errUnwritten
}
func (s *Store) Unlease(ctx context.Context, name, holder string) error { return errUnwritten }

// AttachmentsToFetch claims files that must still be fetched; each comes again after leaseUntil unless SetAttachment settles it.
func (s *Store) AttachmentsToFetch(ctx context.Context, limit int, leaseUntil desk.Time) ([]PendingAttachment, error) {
	return nil, errUnwritten
}
func (s *Store) SetAttachment(ctx context.Context, id desk.ID, blob string, size int64, mediaType, state, hint string) ([]desk.Event, error) {
	return nil, errUnwritten
}

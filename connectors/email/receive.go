package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"hearback/connectors"
	"hearback/desk"
)

// reissue is how long one IDLE lasts: shorter than routers and providers forget idle connections.
const reissue = 5 * time.Minute

// A cursor is the position in the mailbox, committed with the mails it speaks of.
type cursor struct {
	Folder   string `json:"folder"`
	Validity uint32 `json:"uidvalidity"`
	UID      uint32 `json:"uid"`            // everything up to here was accepted
	From     uint32 `json:"from,omitempty"` // first of the last batch: its marks may be missing on the server
	Seen     int64  `json:"seen,omitempty"` // when the newest mail arrived there, unix seconds
}

func readCursor(raw []byte) (cursor, error) {
	var c cursor
	if len(raw) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("read cursor: %w: %w", desk.ErrInvalid, err)
	}
	return c, nil
}

func (cur cursor) bytes() []byte {
	b, _ := json.Marshal(cur) // numbers and a string
	return b
}

// Receive fetches what is new and waits for more, on one connection, until ctx ends or the connection does.
func (c *connector) Receive(ctx context.Context) error {
	s, err := c.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	s.mailAt = c.tools.Now()
	start, err := c.enter(ctx, s)
	if err != nil {
		return ended(ctx, err)
	}
	for {
		s.heard()
		if err := c.fetchNew(ctx, s, start); err != nil {
			return ended(ctx, err)
		}
		start = nil
		c.tools.Health(nil)
		if err := c.wait(ctx, s); err != nil {
			return ended(ctx, err)
		}
	}
}

// enter selects the folder and finds out where to begin: nil for "after the cursor", else the mails to look at once.
func (c *connector) enter(ctx context.Context, s *session) (*[]imap.UID, error) {
	s.alive()
	box, err := s.Select(c.s.folder, &imap.SelectOptions{ReadOnly: c.s.after == "leave"}).Wait()
	if err != nil {
		return nil, c.selectError(err)
	}
	c.mu.Lock()
	cur := c.cur
	c.mu.Unlock()
	if cur.Folder == c.s.folder && cur.Validity == box.UIDValidity && cur.Validity != 0 {
		return nil, c.markAgain(s, cur)
	}
	fresh := cursor{Folder: c.s.folder, Validity: box.UIDValidity, Seen: cur.Seen}
	switch {
	case cur.Folder == c.s.folder:
		// The numbers mean other mails now. What is known is recognized by its content, so a day too many does no harm.
		c.tools.Logger.Warn("the mailbox was numbered anew; reading again what came lately", "folder", c.s.folder)
		return c.since(s, box, fresh, time.Unix(cur.Seen, 0).AddDate(0, 0, -1), cur.Seen == 0)
	case c.s.first == "all":
		return nil, c.commit(ctx, fresh, nil)
	case c.s.first == "days":
		return c.since(s, box, fresh, c.tools.Now().AddDate(0, 0, -c.s.days), false)
	}
	if fresh.UID, err = lastUID(s, box); err != nil {
		return nil, err
	}
	return nil, c.commit(ctx, fresh, nil)
}

// selectError tells a folder that is not there, which an admin has to mend, from a server that is not well. It is looked for again
// and again: a folder that was renamed by mistake comes back without anybody's help here.
func (c *connector) selectError(err error) error {
	var told *imap.Error
	if errors.As(err, &told) && told.Type == imap.StatusResponseTypeNo {
		if strings.Contains(strings.ToLower(told.Text), "unsafe login") {
			return c.s.refusal("imap", told.Text)
		}
		if told.Code == imap.ResponseCodeNonExistent || told.Code == imap.ResponseCodeTryCreate || noFolder.MatchString(told.Text) {
			return &connectors.SendError{Class: connectors.Transient, Code: "imap_folder", Err: err,
				Hint: say("邮箱里没有文件夹 "+c.s.folder+"：可能被删除或改名。", "The mailbox has no folder "+c.s.folder+": it was deleted or renamed.")}
		}
	}
	return fmt.Errorf("select folder: %w", err)
}

// noFolder is what servers without response codes say.
var noFolder = regexp.MustCompile(`(?i)not exist|n't exist|non-?existent|no such|unknown mailbox|not found|不存在`)

// since lists the mails that arrived from a day on, and sets the cursor so that a break during the reading resumes after what
// was accepted.
func (c *connector) since(s *session, box *imap.SelectData, fresh cursor, day time.Time, all bool) (*[]imap.UID, error) {
	criteria := &imap.SearchCriteria{Since: day}
	if all {
		criteria = &imap.SearchCriteria{}
	}
	s.alive()
	found, err := s.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return nil, fmt.Errorf("search mails: %w", err)
	}
	uids := found.AllUIDs()
	slices.Sort(uids)
	if len(uids) > 0 {
		fresh.UID = uint32(uids[0]) - 1
	} else if fresh.UID, err = lastUID(s, box); err != nil {
		return nil, err
	}
	c.set(fresh)
	return &uids, nil
}

// lastUID is the newest mail's number; SELECT need not tell the next one.
func lastUID(s *session, box *imap.SelectData) (uint32, error) {
	if box.UIDNext > 0 {
		return uint32(box.UIDNext) - 1, nil
	}
	s.alive()
	found, err := s.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	if err != nil {
		return 0, fmt.Errorf("search mails: %w", err)
	}
	last := uint32(0)
	for _, uid := range found.AllUIDs() {
		last = max(last, uint32(uid))
	}
	return last, nil
}

func (c *connector) set(cur cursor) {
	c.mu.Lock()
	c.cur = cur
	c.mu.Unlock()
}

func (c *connector) position() cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cur
}

// commit makes mails and position durable together. Only then does the connector believe the position itself.
func (c *connector) commit(ctx context.Context, cur cursor, mails []desk.Envelope) error {
	if err := c.tools.Inbox.Accept(ctx, connectors.Batch{Envelopes: mails, Cursor: cur.bytes()}); err != nil {
		return fmt.Errorf("accept mails: %w", err)
	}
	c.set(cur)
	return nil
}

// heard forgets hints of new mail: whoever looks after this sees it.
func (s *session) heard() {
	select {
	case <-s.news:
	default:
	}
}

// A server next door is made to look several times a second while mail is coming and for a while after: Dovecot holds its notices
// back for half a second, which is long for an agent in a conversation, but tells at the end of an IDLE what has come. Servers of
// others are left alone.
const (
	lively    = 2 * time.Minute // since the last mail, or since we came
	lookEvery = 60 * time.Millisecond
	awake     = 30 * time.Minute
	lookNow   = 150 * time.Millisecond
)

// looks is how long the next IDLE may last before the server is made to look; 0: until it tells by itself.
func (c *connector) looks(s *session) time.Duration {
	switch quiet := c.tools.Now().Sub(s.mailAt); {
	case !s.near || quiet > awake:
		return 0
	case quiet > lively:
		return lookNow
	}
	return lookEvery
}

// wait returns when there may be new mail: the server said so, the poll interval is over, or IDLE has lasted long enough.
func (c *connector) wait(ctx context.Context, s *session) error {
	if caps := s.Caps(); !caps.Has(imap.CapIdle) && !caps.Has(imap.CapIMAP4rev2) {
		return s.pause(ctx, c.s.poll)
	}
	for began := time.Now(); time.Since(began) < reissue; {
		d := c.looks(s)
		if d == 0 {
			break
		}
		if err := s.idle(ctx, d); err != nil || len(s.news) > 0 {
			return err
		}
	}
	return s.idle(ctx, reissue)
}

// idle lets the server tell of new mail for at most d.
func (s *session) idle(ctx context.Context, d time.Duration) error {
	s.alive()
	idle, err := s.Idle()
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	waited := s.pause(ctx, d)
	s.alive()
	if err := idle.Close(); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	if err := idle.Wait(); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	return waited
}

// isNear tells whether the other end is on this machine or its private network.
func isNear(conn net.Conn) bool {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	return err == nil && (ap.Addr().Unmap().IsLoopback() || ap.Addr().Unmap().IsPrivate())
}

func (s *session) pause(ctx context.Context, d time.Duration) error {
	s.rest()
	defer s.alive()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.Closed():
		return errors.New("the server closed the connection")
	case <-s.news:
		s.tell() // for whoever asks why this returned
	case <-timer.C:
	}
	return nil
}

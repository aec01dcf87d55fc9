package email

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"hearback/connectors"
	"hearback/desk"
)

const (
	listAtOnce  = 500      // mails whose sizes are asked for together
	mailsAtOnce = 200      // mails accepted in one transaction
	bytesAtOnce = 4 << 20  // of those that stay in memory
	bigAtOnce   = 16 << 20 // of all of them: the first of many big mails must not wait for the last
	smallMail   = 64 << 10
	beginning   = 1 << 20 // what is fetched of a mail that is too big
)

// An entry is what is known of a mail before it is fetched.
type entry struct {
	uid  uint32
	size int64
	date time.Time // when it arrived on the server
}

// fetchNew takes in what lies behind the cursor, or just the given mails, oldest number first.
func (c *connector) fetchNew(ctx context.Context, s *session, these *[]imap.UID) error {
	if these == nil {
		var behind imap.UIDSet
		behind.AddRange(imap.UID(c.position().UID+1), 0)
		list, err := s.list(behind)
		if misunderstood(err) {
			list, err = c.listBehind(s)
		}
		if err != nil {
			return err
		}
		return c.takeAll(ctx, s, list)
	}
	for part := range slices.Chunk(*these, listAtOnce) {
		list, err := s.list(imap.UIDSetNum(part...))
		if err != nil {
			return err
		}
		if err := c.takeAll(ctx, s, list); err != nil {
			return err
		}
	}
	if len(*these) > 0 {
		return nil
	}
	return c.commit(ctx, c.position(), nil)
}

// misunderstood: the server called the command wrong.
func misunderstood(err error) bool {
	var told *imap.Error
	return errors.As(err, &told) && told.Type == imap.StatusResponseTypeBad
}

// listBehind lists what lies behind the cursor without naming a number that may not exist. QUIRK: QQ answers "BAD UID parameters" to
// "n:*" when there is no mail from n on.
func (c *connector) listBehind(s *session) ([]entry, error) {
	box := s.Mailbox()
	if box == nil || box.NumMessages == 0 {
		return nil, nil
	}
	newest, err := s.list(imap.SeqSetNum(box.NumMessages))
	if err != nil || len(newest) == 0 || newest[0].uid <= c.position().UID {
		return nil, err
	}
	var behind imap.UIDSet
	behind.AddRange(imap.UID(c.position().UID+1), imap.UID(newest[0].uid))
	return s.list(behind)
}

// list asks for sizes and dates. "n:*" also names the last mail when there is none from n on (RFC 3501, 6.4.8); takeAll drops it.
func (s *session) list(set imap.NumSet) ([]entry, error) {
	s.alive()
	cmd := s.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true})
	var out []entry
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		s.alive()
		var e entry
		for item := m.Next(); item != nil; item = m.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				e.uid = uint32(item.UID)
			case imapclient.FetchItemDataRFC822Size:
				e.size = item.Size
			case imapclient.FetchItemDataInternalDate:
				e.date = item.Time
			}
		}
		if e.uid != 0 {
			out = append(out, e)
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	return slices.CompactFunc(out, func(a, b entry) bool { return a.uid == b.uid }), nil
}

// takeAll takes mails in batches: fetch, accept with the new position, mark.
func (c *connector) takeAll(ctx context.Context, s *session, list []entry) error {
	last := c.position().UID
	list = slices.DeleteFunc(list, func(e entry) bool { return e.uid <= last })
	for first := true; len(list) > 0; first = false {
		n := c.batch(list)
		broke := 0
		if first { // only the batch that broke a connection is the first of the next one
			if broke = c.broke(ctx, list[0]); broke > 0 {
				n = 1
			}
		}
		if err := c.take(ctx, s, list[:n], broke >= maxBreaks); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// batch is how many of the mails are taken together. One that is too big goes alone.
func (c *connector) batch(list []entry) int {
	var sum, all int64
	for i, e := range list {
		sum, all = sum+min(e.size, smallMail), all+e.size
		if i > 0 && (i == mailsAtOnce || sum > bytesAtOnce || all > bigAtOnce || e.size > c.s.maxMail || list[0].size > c.s.maxMail) {
			return i
		}
	}
	return len(list)
}

// take fetches, accepts and marks a batch; with without, what cannot be fetched is accepted as such.
func (c *connector) take(ctx context.Context, s *session, list []entry, without bool) error {
	mails, err := c.fetch(ctx, s, list, without)
	switch {
	case refused(err) && len(list) > 1: // one of them is the cause: find it
		for i := range list {
			if err := c.take(ctx, s, list[i:i+1], false); err != nil {
				return err
			}
		}
		return nil
	case refused(err):
		mails = []desk.Envelope{c.unfetchable(list[0], err)}
	case err != nil:
		if ctx.Err() == nil && !errors.Is(err, desk.ErrUnavailable) {
			c.remember(ctx, list[0])
		}
		return err
	}
	cur := c.position()
	cur.From, cur.UID = list[0].uid, list[len(list)-1].uid
	for _, e := range list {
		cur.Seen = max(cur.Seen, e.date.Unix())
	}
	if err := c.commit(ctx, cur, mails); err != nil {
		return err
	}
	s.mailAt = c.tools.Now()
	c.noteAll(mails)
	uids := make([]imap.UID, len(list))
	for i, e := range list {
		uids[i] = imap.UID(e.uid)
	}
	return c.mark(s, imap.UIDSetNum(uids...))
}

// notedAtOnce is how many mails of a batch the live log names.
const notedAtOnce = 20

// noteAll shows what came in the channel's live log.
func (c *connector) noteAll(mails []desk.Envelope) {
	if c.tools.Note == nil {
		return
	}
	if n := len(mails) - notedAtOnce; n > 0 {
		c.tools.Note(connectors.Note{What: "mails", Detail: fmt.Sprintf("%d more", n), Remote: c.s.imap.host})
		mails = mails[n:]
	}
	for _, m := range mails {
		c.tools.Note(connectors.Note{What: "mail", Ref: "UID " + m.Meta["uid"], Remote: c.s.imap.host, Envelope: m.ID})
	}
}

// fetch reads the bodies. What the server does not give any more was deleted meanwhile.
func (c *connector) fetch(ctx context.Context, s *session, list []entry, without bool) ([]desk.Envelope, error) {
	if without {
		return []desk.Envelope{c.unfetchable(list[0], errors.New("the connection broke every time"))}, nil
	}
	var uids []imap.UID
	known := map[uint32]entry{}
	for _, e := range list {
		uids = append(uids, imap.UID(e.uid))
		known[e.uid] = e
	}
	section := &imap.FetchItemBodySection{Peek: true}
	if list[0].size > c.s.maxMail {
		section.Partial = &imap.SectionPartial{Size: beginning}
	}
	s.alive()
	cmd := s.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	var mails []desk.Envelope
	var failed error
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		var uid uint32
		for item := m.Next(); item != nil; item = m.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				uid = uint32(item.UID)
			case imapclient.FetchItemDataBodySection:
				e, ok := known[uid]
				if !ok || failed != nil || item.Literal == nil {
					continue
				}
				delete(known, uid)
				var mail desk.Envelope
				if mail, failed = c.envelope(ctx, watched{item.Literal, s}, item.Literal.Size(), e); failed == nil {
					mails = append(mails, mail)
				} else {
					s.Client.Close() // do not drain what cannot be kept
				}
			}
		}
	}
	if err := errors.Join(failed, cmd.Close()); err != nil {
		return nil, fmt.Errorf("fetch mails: %w", err)
	}
	return mails, nil
}

// watched winds the watchdog up with every byte that comes.
type watched struct {
	imap.LiteralReader
	s *session
}

func (w watched) Read(p []byte) (int, error) {
	w.s.alive()
	return w.LiteralReader.Read(p)
}

// mark does on the server what the admin wants done with fetched mails. A server that refuses is no reason to stop receiving.
func (c *connector) mark(s *session, set imap.UIDSet) error {
	var err error
	s.alive()
	switch c.s.after {
	case "seen":
		err = s.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	case "move":
		if _, err = s.Move(set, c.s.moveTo).Wait(); refused(err) {
			s.alive()
			if s.Create(c.s.moveTo, nil).Wait() == nil {
				_, err = s.Move(set, c.s.moveTo).Wait()
			}
		}
	}
	if refused(err) {
		c.tools.Logger.Warn("fetched mails could not be marked on the server", "after_fetch", c.s.after, "err", err)
		return nil
	}
	return err
}

func refused(err error) bool {
	var told *imap.Error
	return errors.As(err, &told)
}

// markAgain repeats the marks of the last accepted batch: the connection may have ended before them. Marking twice is harmless.
func (c *connector) markAgain(s *session, cur cursor) error {
	if cur.From == 0 || cur.From > cur.UID || c.s.after == "leave" {
		return nil
	}
	var set imap.UIDSet
	set.AddRange(imap.UID(cur.From), imap.UID(cur.UID))
	return c.mark(s, set)
}

package email

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	sentWaiting = 100              // letters waiting for the Sent folder; more are left out
	sentIdle    = 30 * time.Second // how long its connection waits for another
	sentTimeout = time.Minute      // per letter
)

// A copier puts letters into the Sent folder, one after the other on one connection that is opened when needed: providers
// count log-ins. It is best effort: the customer has his answer already.
type copier struct {
	c *connector

	mu      sync.Mutex
	queue   []*letter
	running bool
	more    chan struct{}
	done    sync.WaitGroup
}

// keep takes a letter over; it never blocks.
func (k *copier) keep(l *letter) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.c.life.Err() != nil || len(k.queue) >= sentWaiting {
		k.c.tools.Logger.Warn("a reply was not copied to the Sent folder", "waiting", len(k.queue))
		return
	}
	k.queue = append(k.queue, l)
	if k.more == nil {
		k.more = make(chan struct{}, 1)
	}
	if !k.running {
		k.running = true
		k.done.Go(k.run)
		return
	}
	select {
	case k.more <- struct{}{}:
	default:
	}
}

func (k *copier) wait() { k.done.Wait() }

// next waits a while for a letter; nil means: stop.
func (k *copier) next() *letter {
	idle := time.NewTimer(sentIdle)
	defer idle.Stop()
	for {
		k.mu.Lock()
		if len(k.queue) > 0 && k.c.life.Err() == nil {
			l := k.queue[0]
			k.queue = k.queue[1:]
			k.mu.Unlock()
			return l
		}
		k.mu.Unlock()
		select {
		case <-k.more:
			continue
		case <-idle.C:
		case <-k.c.life.Done():
		}
		k.mu.Lock()
		if len(k.queue) > 0 && k.c.life.Err() == nil {
			k.mu.Unlock()
			continue
		}
		k.running = false
		k.mu.Unlock()
		return nil
	}
}

func (k *copier) run() {
	var s *session
	folder := ""
	for l := k.next(); l != nil; l = k.next() {
		var err error
		if s == nil {
			s, folder, err = k.open()
		}
		if err == nil {
			err = k.append(s, folder, l)
		}
		if err != nil {
			k.c.tools.Logger.Warn("a reply was not copied to the Sent folder", "err", err)
			if s != nil {
				s.close()
				s = nil
			}
		}
	}
	if s != nil {
		s.goodbye()
	}
}

func (k *copier) open() (*session, string, error) {
	s, err := k.c.openSession(k.c.life)
	if err != nil {
		return nil, "", err
	}
	s.alive()
	folder, err := sentFolder(s)
	if err != nil {
		s.close()
		return nil, "", err
	}
	return s, folder, nil
}

// sentFolder finds the folder marked as such (RFC 6154), or by its usual names; else it is made.
func sentFolder(s *session) (string, error) {
	boxes, err := s.List("", "*", nil).Collect()
	if err != nil {
		return "", fmt.Errorf("list folders: %w", err)
	}
	usual := []string{"sent", "sent messages", "sent items", "已发送", "已发送邮件", "inbox.sent"}
	found := ""
	for _, b := range boxes {
		if slices.Contains(b.Attrs, imap.MailboxAttrSent) {
			return b.Mailbox, nil
		}
		if found == "" && slices.Contains(usual, strings.ToLower(b.Mailbox)) {
			found = b.Mailbox
		}
	}
	if found != "" {
		return found, nil
	}
	return "Sent", s.Create("Sent", nil).Wait()
}

func (k *copier) append(s *session, folder string, l *letter) error {
	s.watch.Reset(sentTimeout)
	cmd := s.Append(folder, l.size, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	err := l.write(context.WithoutCancel(k.c.life), cmd)
	if err != nil {
		s.close() // the literal is incomplete; nothing else can be said on this connection
		return err
	}
	if err := cmd.Close(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if _, err := cmd.Wait(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	s.rest()
	return nil
}

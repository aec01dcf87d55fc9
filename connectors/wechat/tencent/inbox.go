package tencent

import (
	"context"
	"slices"
	"time"
)

// Who a line on the phone comes from.
const (
	FromCustomer = "customer"
	FromAccount  = "account"
	FromSystem   = "system" // Tencent itself
)

// Shown is one line on a customer's phone.
type Shown struct {
	At    time.Time
	From  string
	Type  string // text, image, voice, video, file, link, news, msgmenu, location, miniprogrampage, template …
	Text  string // what is read; of a voice message what was recognized
	Title string
	URL   string
	Media string // media type of Data
	Data  []byte // picture, sound, film
	Menu  []Choice
	MsgID string
	Via   string // the way it came: custom, template, kf, welcome
	Agent string // customservice.kf_account
	Taken bool   // the writer took it back
}

// A Choice is one item of a menu message.
type Choice struct{ ID, Text string }

// show adds a line. t.mu is held.
func (c *Customer) show(s Shown) {
	s.At = c.t.now()
	c.inbox = append(c.inbox, s)
	if s.From == FromAccount {
		c.typing = time.Time{}
	}
	c.t.changed()
}

// Inbox is what the customer's phone shows, oldest first: his own lines and what reached him. What was refused is not there.
func (c *Customer) Inbox() []Shown {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return slices.Clone(c.inbox)
}

// Answers are the lines of the account alone.
func (c *Customer) Answers() []Shown {
	return slices.DeleteFunc(c.Inbox(), func(s Shown) bool { return s.From != FromAccount })
}

// Typing tells whether the phone shows "对方正在输入…".
func (c *Customer) Typing() bool {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.now().Before(c.typing)
}

// Window is until when and how often the account may write to the customer now.
func (c *Customer) Window() (until time.Time, left int) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.rights.best(c.t.now())
}

// Await waits until enough holds for the phone and returns what it shows; with ctx's error when that ends first.
func (c *Customer) Await(ctx context.Context, enough func([]Shown) bool) ([]Shown, error) {
	for {
		c.t.mu.Lock()
		lines, news := slices.Clone(c.inbox), c.t.news
		c.t.mu.Unlock()
		if enough(lines) {
			return lines, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return lines, ctx.Err()
		}
	}
}

// AwaitText waits for a line of the account with that text.
func (c *Customer) AwaitText(ctx context.Context, want string) error {
	_, err := c.Await(ctx, func(lines []Shown) bool {
		return slices.ContainsFunc(lines, func(s Shown) bool { return s.From == FromAccount && s.Text == want })
	})
	return err
}

// Changed returns a channel that is closed at the next change of anything.
func (t *Tencent) Changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.news
}

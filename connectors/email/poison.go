package email

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hearback/desk"
)

// A mail the server cannot give, or on which the connection breaks each time, must neither stop the mailbox nor vanish: after
// maxBreaks it is accepted as a message that says so.
const (
	maxBreaks  = 3
	breaksKept = time.Hour
)

// breaksKey names the count of a mail on which fetching broke off. The mailbox is opened anew after each break, maybe by another
// node, so the count lives in the shared cache.
func (c *connector) breaksKey(e entry) string {
	return fmt.Sprintf("breaks:%d:%d", c.position().Validity, e.uid)
}

// broke tells how often fetching broke off at a mail. Without a cache: never.
func (c *connector) broke(ctx context.Context, e entry) int {
	n, err := c.tools.Cache.Once(ctx, c.breaksKey(e), func(context.Context) (string, time.Duration, error) { return "0", breaksKept, nil })
	if err != nil {
		return 0
	}
	return number(n, 0)
}

func (c *connector) remember(ctx context.Context, e entry) {
	n := c.broke(ctx, e)
	key := c.breaksKey(e)
	err := c.tools.Cache.Drop(ctx, key, strconv.Itoa(n))
	if err == nil {
		_, err = c.tools.Cache.Once(ctx, key, func(context.Context) (string, time.Duration, error) { return strconv.Itoa(n + 1), breaksKept, nil })
	}
	if err != nil {
		c.tools.Logger.Warn("a break in fetching was not counted", "uid", e.uid, "err", err)
	}
}

// unfetchable stands for a mail we could not get: the ticket it opens says where it lies.
func (c *connector) unfetchable(e entry, cause error) desk.Envelope {
	c.tools.Logger.Warn("a mail cannot be fetched; it is noted and passed over", "uid", e.uid, "size", e.size, "err", cause)
	words := say("有一封邮件无法从服务器取回，请在邮箱中查看。", "A mail could not be fetched from the server; look for it in the mailbox.")
	raw := fmt.Sprintf("Subject: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\nUID %d, %d B, %s\r\n%s\r\n", words, words, e.uid, e.size,
		e.date.UTC().Format(time.RFC3339), oneLine(cause.Error()))
	return desk.Envelope{Type: desk.EnvelopeMessage, ExternalID: fmt.Sprintf("- unfetchable-%d-%d", c.position().Validity, e.uid), Sender: unknownSender,
		Meta: c.meta(e.uid), Raw: []byte(raw)}
}

package wechat

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/connectors"
	"hearback/desk"
)

// customSend sends a customer message. It knows no idempotency key.
const customSend = "/cgi-bin/message/custom/send"

// Send hands one reply to Tencent: a text, or a file, or a template message. Delivery sends texts and files apart, so that one that
// was taken is not repeated for another that was not; a reply that comes with several is Uncertain when it stops midway.
func (c *official) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	if out.Means == meansTemplate {
		return c.sendTemplate(ctx, out)
	}
	var steps []func(context.Context) error
	if out.Text != "" {
		steps = append(steps, func(ctx context.Context) error { return c.sendText(ctx, out) })
	}
	for _, a := range out.Attachments {
		steps = append(steps, func(ctx context.Context) error { return c.sendFile(ctx, out, a) })
	}
	return connectors.Receipt{}, inTurn(ctx, steps, false)
}

// inTurn makes the steps of a reply one after the other. again tells that a step may be repeated without harm.
func inTurn(ctx context.Context, steps []func(context.Context) error, again bool) error {
	if len(steps) == 0 {
		return &connectors.SendError{Class: connectors.Permanent, Code: "empty", Hint: say("消息内容为空。", "The message is empty.")}
	}
	for i, step := range steps {
		err := step(ctx)
		if err == nil {
			continue
		}
		if e := connectors.AsSendError(err); i > 0 && !again && e.Class != connectors.Uncertain {
			return &connectors.SendError{Class: connectors.Uncertain, Code: e.Code, Err: err,
				Hint: say(fmt.Sprintf("前 %d 条已发出，其余没有：%s", i, e.Hint), fmt.Sprintf("The first %d of it were sent, the rest was not: %s", i, e.Hint))}
		}
		return err
	}
	return nil
}

// sendText sends a text; one that is nothing but a titled link leaves as a card.
func (c *official) sendText(ctx context.Context, out desk.Outbound) error {
	if title, link, ok := titledLink(out.Text); ok {
		return c.sendCard(ctx, out.Sender, message.MediaArticles{Title: shorten(title, 120), URL: link})
	}
	return c.custom(ctx, message.NewCustomerTextMessage(out.Sender, out.Text))
}

func (c *official) custom(ctx context.Context, msg any) error {
	return c.api.post(ctx, customSend, true, msg, nil)
}

// sendFile sends a file in the type the account has for it, else as a link to our copy.
func (c *official) sendFile(ctx context.Context, out desk.Outbound, a desk.Attachment) error {
	kind := c.mediaKind(a)
	if kind == "" {
		return c.sendLink(ctx, out, a)
	}
	err := c.sendMedia(ctx, out, a, kind)
	if fallsBack(err) {
		return c.sendLink(ctx, out, a)
	}
	return err
}

// fallsBack tells that Tencent does not like a file for what it is: customers then get it as a link.
func fallsBack(err error) bool {
	var e *connectors.SendError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40004", "40005", "40006", "40009", "40010", "40011", "40137", "45001", "45007", "48008":
		return true
	}
	return false
}

func (c *official) sendMedia(ctx context.Context, out desk.Outbound, a desk.Attachment, kind string) error {
	return c.api.withMedia(ctx, a, kind, func(id string) error {
		switch kind {
		case mediaImage:
			return c.custom(ctx, message.NewCustomerImgMessage(out.Sender, id))
		case mediaVoice:
			return c.custom(ctx, message.NewCustomerVoiceMessage(out.Sender, id))
		}
		return c.custom(ctx, &message.CustomerMessage{ToUser: out.Sender, Msgtype: message.MsgTypeVideo, Video: &message.MediaVideo{MediaID: id, Title: a.Name}})
	})
}

// A linkMessage is the mini-program's card with a link; the SDK's needs a package of its own for it.
type linkMessage struct {
	ToUser  string `json:"touser"`
	Msgtype string `json:"msgtype"`
	Link    struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		URL         string `json:"url"`
		ThumbURL    string `json:"thumb_url"`
	} `json:"link"`
}

// sendLink sends a card that leads to a file.
func (c *official) sendLink(ctx context.Context, out desk.Outbound, a desk.Attachment) error {
	link, err := c.link(a)
	if err != nil {
		return err
	}
	return c.sendCard(ctx, out.Sender, message.MediaArticles{Title: shorten(first(a.Name, "file"), 120), Description: size(a.Size), URL: link, Picurl: c.picture(a, link)})
}

// sendCard sends a card that leads to a page: news for official accounts, link for mini-programs.
func (c *official) sendCard(ctx context.Context, to string, card message.MediaArticles) error {
	if c.s.account == accountMiniprogram {
		m := linkMessage{ToUser: to, Msgtype: "link"}
		m.Link.Title, m.Link.Description, m.Link.URL, m.Link.ThumbURL = card.Title, card.Description, card.URL, card.Picurl
		return c.custom(ctx, m)
	}
	return c.custom(ctx, &message.CustomerMessage{ToUser: to, Msgtype: message.MsgTypeNews, News: &message.MediaNews{Articles: []message.MediaArticles{card}}})
}

var linkOnly = regexp.MustCompile(`^\[([^\[\]\n]{1,120})\]\((https?://[^\s()]+)\)$`)

// titledLink reads [title](https://…), the way consoles write a link, when it is all of a text.
func titledLink(text string) (title, link string, ok bool) {
	m := linkOnly.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// picture is what a card shows: the picture itself where the file is one.
func (c *official) picture(a desk.Attachment, link string) string {
	if strings.HasPrefix(a.Type, "image/") {
		return link
	}
	return ""
}

// size is a file's size for people.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// shorten cuts a title to a number of bytes, between characters.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit-3], "") + "…"
}

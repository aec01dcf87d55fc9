package wechat

import (
	"context"
	"fmt"

	"hearback/connectors"
	"hearback/desk"
)

const kfSend = "/cgi-bin/kf/send_msg"

// Send hands one reply to customer service: a text, or files. The same reply again carries the same msgid and is shown once.
func (c *kf) Send(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	id := msgID(out.ExternalID)
	var steps []func(context.Context) error
	step := func(f func(context.Context, kfMessage) error) {
		m := kfMessage{ToUser: out.Sender, OpenKFID: c.s.openKfid, MsgID: id}
		if n := len(steps); n > 0 {
			m.MsgID = msgID(fmt.Sprintf("%s.f%d", out.ExternalID, n))
		}
		steps = append(steps, func(ctx context.Context) error { return f(ctx, m) })
	}
	if out.Text != "" {
		step(func(ctx context.Context, m kfMessage) error { return c.sendText(ctx, m, out.Text) })
	}
	for _, a := range out.Attachments {
		step(func(ctx context.Context, m kfMessage) error { return c.sendFile(ctx, m, a) })
	}
	if err := inTurn(ctx, steps, true); err != nil {
		return connectors.Receipt{}, err
	}
	return connectors.Receipt{ExternalID: id}, nil
}

func (c *kf) sendText(ctx context.Context, m kfMessage, text string) error {
	if title, link, ok := titledLink(text); ok {
		text = title + "\n" + link
	}
	return c.api.post(ctx, kfSend, true, m.withText(text), nil)
}

// sendFile sends a file in the type it fits, any file as such, and what is too big as a link to our copy.
func (c *kf) sendFile(ctx context.Context, m kfMessage, a desk.Attachment) error {
	kind := kfMedia(a)
	if kind == "" {
		return c.sendLink(ctx, m, a)
	}
	err := c.api.withMedia(ctx, a, kind, func(id string) error { return c.api.post(ctx, kfSend, true, m.withMedia(kind, id), nil) })
	if fallsBack(err) {
		return c.sendLink(ctx, m, a)
	}
	return err
}

// kfMedia is the message type for a file. WeCom takes no file of five bytes or less.
func kfMedia(a desk.Attachment) string {
	kind, limit := mediaFile, int64(maxFile)
	switch typ := bare(a.Type); {
	case (typ == "image/jpeg" || typ == "image/png") && a.Size <= maxImage:
		kind, limit = mediaImage, maxImage
	case typ == "audio/amr" && a.Size <= maxVoice:
		kind, limit = mediaVoice, maxVoice
	case typ == "video/mp4" && a.Size <= maxVideo:
		kind, limit = mediaVideo, maxVideo
	}
	if a.Size > limit || kind == mediaFile && a.Size <= 5 {
		return ""
	}
	return kind
}

// sendLink sends a file's address as text: the link message needs a picture of its own.
func (c *kf) sendLink(ctx context.Context, m kfMessage, a desk.Attachment) error {
	link, err := c.link(a)
	if err != nil {
		return err
	}
	return c.sendText(ctx, m, fmt.Sprintf("%s（%s）\n%s", shorten(first(a.Name, "文件"), 200), size(a.Size), link))
}

package tencent

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"time"
)

// A Customer is one person with a phone, seen from one account.
type Customer struct {
	t   *Tencent
	acc *account

	OpenID   string // external_userid for KF
	UnionID  string
	Nickname string // told for KF only, as Tencent does

	// Guarded by t.mu.
	subscribed bool
	blocked    bool
	rights     rights
	touched    time.Time // last interaction, for the typing hint
	typing     time.Time // until when the hint is shown
	inbox      []Shown
	sent       map[string]bool // KF: msgids taken
	state      int             // KF: session state
	servicer   string
	failNext   []int // KF: fail_type of the next sends
	welcomed   time.Time
	wrote      time.Time // when the next message was written; zero: now
}

// Customer returns the person with that id of an account, who follows it already; unknown ones are made. An empty id makes a new
// one. It panics when there is no such account: the test is wrong then.
func (t *Tencent) Customer(appid, openid string) *Customer {
	t.mu.Lock()
	defer t.mu.Unlock()
	acc := t.find(appid)
	if acc == nil {
		panic("tencent: no account " + appid)
	}
	return t.customer(acc, openid)
}

// KFCustomer is Customer for one of several kf accounts of a corp.
func (t *Tencent) KFCustomer(openKfID, external string) *Customer {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, acc := range t.accounts {
		if acc.OpenKfID == openKfID {
			return t.customer(acc, external)
		}
	}
	panic("tencent: no kf account " + openKfID)
}

func (t *Tencent) customer(acc *account, openid string) *Customer {
	if openid == "" {
		openid = "o" + randomID(27)
		if acc.Kind == KF {
			openid = "wm" + randomID(30)
		}
	}
	c := acc.customers[openid]
	if c == nil {
		c = &Customer{t: t, acc: acc, OpenID: openid, UnionID: "o6_" + sign(openid)[:25], Nickname: "微信用户", subscribed: true, sent: map[string]bool{}}
		acc.customers[openid] = c
		acc.order = append(acc.order, c)
	}
	return c
}

// Customers returns everybody who ever was at an account, the first one first.
func (t *Tencent) Customers(appid string) []*Customer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if acc := t.find(appid); acc != nil {
		return slices.Clone(acc.order)
	}
	return nil
}

// Say writes a text. It returns the message's id when the callback was acknowledged (KF: made).
func (c *Customer) Say(ctx context.Context, content string) (msgID string, err error) {
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "text", kfText(content, ""), Shown{Type: "text", Text: content})
	}
	return c.send(ctx, Shown{Type: "text", Text: content}, "text", text("Content", content))
}

// SayAt is Say of a customer who wrote at another time: Tencent brings it only now. For KF that is what a pull after an outage
// finds; windows count from then.
func (c *Customer) SayAt(ctx context.Context, at time.Time, content string) (msgID string, err error) {
	c.t.mu.Lock()
	c.wrote = at
	c.t.mu.Unlock()
	return c.Say(ctx, content)
}

// clock is the time of what the customer does now. t.mu is held.
func (c *Customer) clock() time.Time {
	if at := c.wrote; !at.IsZero() {
		return at
	}
	return c.t.now()
}

// Choose taps an item of a menu message: a text with its id. It gives no right to more messages than a tap does.
func (c *Customer) Choose(ctx context.Context, id, content string) (msgID string, err error) {
	shown := Shown{Type: "text", Text: content}
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "text", kfText(content, id), shown)
	}
	return c.tap(ctx, shown, "text", text("Content", content), text("bizmsgmenuid", id))
}

// SendImage sends a picture (PNG, JPEG, GIF).
func (c *Customer) SendImage(ctx context.Context, name string, data []byte) (msgID string, err error) {
	shown := Shown{Type: "image", Data: data, Media: typeOf("image", data)}
	m := c.upload("image", name, data)
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "image", kfMedia("image", m.id), shown)
	}
	return c.send(ctx, shown, "image", text("PicUrl", "http://mmbiz.qpic.cn/mmbiz_jpg/"+m.id[:24]+"/0"), text("MediaId", m.id))
}

// SendVoice sends a voice message (AMR). recognized is what speech recognition made of it; "" when it is switched off.
func (c *Customer) SendVoice(ctx context.Context, data []byte, recognized string) (msgID string, err error) {
	shown := Shown{Type: "voice", Data: data, Media: typeOf("voice", data), Text: recognized}
	m := c.upload("voice", "voice.amr", data)
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "voice", kfMedia("voice", m.id), shown)
	}
	fields := []field{text("MediaId", m.id), text("Format", "amr")}
	if recognized != "" {
		fields = append(fields, text("Recognition", recognized), text("MediaId16K", m.id))
	}
	return c.send(ctx, shown, "voice", fields...)
}

// SendVideo sends a video (MP4); short marks one taken in the chat.
func (c *Customer) SendVideo(ctx context.Context, data, thumb []byte, short bool) (msgID string, err error) {
	shown := Shown{Type: "video", Data: data, Media: "video/mp4"}
	m, th := c.upload("video", "video.mp4", data), c.upload("thumb", "thumb.jpg", thumb)
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "video", kfMedia("video", m.id), shown)
	}
	kind := "video"
	if short {
		kind = "shortvideo"
	}
	return c.send(ctx, shown, kind, text("MediaId", m.id), text("ThumbMediaId", th.id))
}

// SendFile sends a file; only kf customers can.
func (c *Customer) SendFile(ctx context.Context, name string, data []byte) (msgID string, err error) {
	m := c.upload("file", name, data)
	return c.kfSay(ctx, "file", kfMedia("file", m.id), Shown{Type: "file", Title: name, Data: data})
}

// Location sends a place.
func (c *Customer) Location(ctx context.Context, latitude, longitude float64, label string) (msgID string, err error) {
	lat, lon := strconv.FormatFloat(latitude, 'f', 6, 64), strconv.FormatFloat(longitude, 'f', 6, 64)
	shown := Shown{Type: "location", Text: label, Title: lat + "," + lon}
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "location", kfLocation(latitude, longitude, label), shown)
	}
	return c.send(ctx, shown, "location", field{name: "Location_X", text: lat, number: true}, field{name: "Location_Y", text: lon, number: true},
		number("Scale", 16), text("Label", label))
}

// Link shares a page.
func (c *Customer) Link(ctx context.Context, title, description, address string) (msgID string, err error) {
	shown := Shown{Type: "link", Title: title, Text: description, URL: address}
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "link", kfLink(title, description, address), shown)
	}
	return c.send(ctx, shown, "link", text("Title", title), text("Description", description), text("Url", address))
}

// Card sends a mini-program card: in a mini-program's chat, or to kf.
func (c *Customer) Card(ctx context.Context, title, appid, page string) (msgID string, err error) {
	shown := Shown{Type: "miniprogrampage", Title: title, URL: page}
	if c.acc.Kind == KF {
		return c.kfSay(ctx, "miniprogram", kfCard(title, appid, page), shown)
	}
	th := c.upload("thumb", "thumb.jpg", PNG)
	return c.send(ctx, shown, "miniprogrampage", text("Title", title), text("AppId", appid), text("PagePath", page), text("ThumbUrl", "http://mmbiz.qpic.cn/"+th.id[:24]), text("ThumbMediaId", th.id))
}

// SendUnknown sends a message of a type nobody has heard of yet, with one field.
func (c *Customer) SendUnknown(ctx context.Context, msgType, name, value string) (msgID string, err error) {
	return c.send(ctx, Shown{Type: msgType, Text: value}, msgType, text(name, value))
}

// upload keeps what the phone sends.
func (c *Customer) upload(class, name string, data []byte) *medium {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.keep(c.acc, class, name, data)
}

// send makes a message callback and grants the rights of one.
func (c *Customer) send(ctx context.Context, shown Shown, msgType string, fields ...field) (msgID string, err error) {
	return c.message(ctx, shown, false, msgType, fields)
}

func (c *Customer) tap(ctx context.Context, shown Shown, msgType string, fields ...field) (msgID string, err error) {
	return c.message(ctx, shown, true, msgType, fields)
}

func (c *Customer) message(ctx context.Context, shown Shown, tapped bool, msgType string, fields []field) (msgID string, err error) {
	c.t.mu.Lock()
	msgID = strconv.FormatInt(c.t.nextID(), 10)
	shown.From, shown.MsgID = FromCustomer, msgID
	c.show(shown)
	c.touch(tapped)
	letter := c.letter(msgID, msgType, append(fields, field{name: "MsgId", text: msgID, number: true}))
	c.wrote = time.Time{}
	c.t.mu.Unlock()
	return msgID, c.deliver(ctx, letter)
}

// touch grants the rights of a message or a tap. t.mu is held.
func (c *Customer) touch(tapped bool) {
	now := c.clock()
	c.touched = now
	if tapped {
		c.rights.tap = c.acc.Windows.Tap.from(now)
		return
	}
	c.rights.message = c.acc.Windows.Message.from(now)
}

// letter is a callback of this customer. t.mu is held.
func (c *Customer) letter(msgID, msgType string, fields []field) Letter {
	head := []field{text("ToUserName", c.acc.Original), text("FromUserName", c.OpenID), number("CreateTime", c.clock().Unix()), text("MsgType", msgType)}
	return Letter{Account: c.acc.Account, OpenID: c.OpenID, MsgID: msgID, Body: document(c.acc.JSON, append(head, fields...)), at: c.t.o.Now}
}

// deliver makes the callback; a customer nobody answers is told so by Tencent.
func (c *Customer) deliver(ctx context.Context, l Letter) error {
	err := c.t.Deliver(ctx, l)
	if err != nil {
		c.t.mu.Lock()
		c.show(Shown{From: FromSystem, Type: "text", Text: "该公众号提供的服务出现故障，请稍后再试"})
		c.t.mu.Unlock()
	}
	return err
}

// Unlike Say, Compose only makes the callback of a text and sends nothing: for tests that deliver it in their own way.
func (c *Customer) Compose(content string) Letter {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	msgID := strconv.FormatInt(c.t.nextID(), 10)
	c.show(Shown{From: FromCustomer, Type: "text", Text: content, MsgID: msgID})
	c.touch(false)
	return c.letter(msgID, "text", []field{text("Content", content), {name: "MsgId", text: msgID, number: true}})
}

const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// randomID makes n characters as Tencent's ids have them.
func randomID(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = idLetters[b[i]&63]
	}
	return string(b)
}

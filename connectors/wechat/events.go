package wechat

import (
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/desk"
)

// eventEnterTempSession is a customer opening a mini-program's customer chat.
const eventEnterTempSession message.EventType = "user_enter_tempsession"

// tap is what a menu click, a scan or a subscription allows: some messages within a minute.
func (r reading) tap(messages int) *desk.Window {
	return &desk.Window{ClosesAt: r.at().Add(time.Minute), Remaining: messages, Widens: true}
}

// event understands what a customer did. Nothing of it opens a ticket; where one is open the agent sees it there.
func (r reading) event() []desk.Inbound {
	in := r.from()
	in.NoTicket, in.Class = true, desk.ClassAuto
	key := clean(oneLine(r.doc["EventKey"]))
	switch message.EventType(r.doc["Event"]) {
	case message.EventTemplateSendJobFinish:
		return r.templateResult()
	case message.EventSubscribe:
		in.Text, in.Window = about(say("［关注了公众号］", "[Subscribed]"), strings.TrimPrefix(key, "qrscene_")), r.tap(3)
	case message.EventUnsubscribe:
		in.Text = say("［取消了关注，无法再联系］", "[Unsubscribed; can no longer be reached]")
		in.Window = &desk.Window{ClosesAt: r.at(), Remaining: 0, Reason: "unsubscribed"}
	case message.EventScan:
		in.Text, in.Window = about(say("［扫描了二维码］", "[Scanned the QR code]"), key), r.tap(3)
	case message.EventClick:
		in.Text, in.Window = about(say("［点击了菜单］", "[Tapped the menu]"), key), r.tap(3)
	case message.EventScancodePush, message.EventScancodeWaitmsg:
		in.Text, in.Window = about(say("［扫码］", "[Scanned]"), clean(oneLine(r.doc["ScanCodeInfo/ScanResult"]))), r.tap(3)
	case message.EventView:
		in.Text = about(say("［打开了菜单链接］", "[Opened a menu link]"), key)
	case message.EventViewMiniprogram:
		in.Text = about(say("［从菜单打开了小程序］", "[Opened a mini-program by the menu]"), key)
	case message.EventPicSysphoto, message.EventPicPhotoOrAlbum, message.EventPicWeixin:
		in.Text = about(say("［从菜单发送图片］", "[Sends pictures by the menu]"), r.doc["SendPicsInfo/Count"])
	case message.EventLocationSelect:
		in.Text = place(r.doc["SendLocationInfo/Location_X"], r.doc["SendLocationInfo/Location_Y"], first(r.doc["SendLocationInfo/Poiname"], r.doc["SendLocationInfo/Label"]))
	case message.EventLocation:
		// An account may have them reported every five seconds: the newest replaces the one before.
		in.Text, in.UpdateKey = place(r.doc["Latitude"], r.doc["Longitude"], ""), "position:"+in.From.Value
	case eventEnterTempSession:
		in.Text, in.Window = about(say("［进入小程序客服会话］", "[Opened the mini-program's customer chat]"), clean(oneLine(r.doc["SessionFrom"]))), r.tap(2)
	default:
		in.Text = say("［事件："+first(tag(r.doc["Event"]), "?")+"］", "[Event: "+first(tag(r.doc["Event"]), "?")+"]")
	}
	in.Text = clean(in.Text)
	return []desk.Inbound{in}
}

func about(what, detail string) string { return strings.TrimSpace(what + " " + detail) }

// templateResult is what became of a template message: "success", "failed:user block" or "failed: system failed".
func (r reading) templateResult() []desk.Inbound {
	status := strings.ToLower(r.doc["Status"])
	told := &desk.Receipt{ExternalIDs: []string{r.doc["MsgID"]}, State: desk.DeliveryDelivered}
	if status != "success" {
		told.State, told.Code = desk.DeliveryFailed, oneLine(status)
		told.Hint = say("模板消息未送达："+oneLine(status), "The template message did not arrive: "+oneLine(status))
		if strings.Contains(status, "block") {
			told.Hint = say("客户屏蔽了公众号的消息，模板消息未送达。", "The customer blocks this account's messages; the template message did not arrive.")
		}
	}
	return []desk.Inbound{{Type: desk.EnvelopeReceipt, SentAt: r.at(), Receipt: told}}
}

package wechat

import (
	"encoding/json"
	"fmt"
	"strconv"

	"hearback/desk"
)

// Where a message of sync_msg comes from.
const (
	originCustomer = 3
	originSystem   = 4
	originServicer = 5 // a colleague in the WeCom client
)

// A kfReading is one message of sync_msg being understood. Each message type has an element of its own name; events have "event".
type kfReading struct {
	kfHead
	MsgType string `json:"msgtype"`
	Text    struct {
		Content string `json:"content"`
		MenuID  string `json:"menu_id"`
	} `json:"text"`
	Image    kfMediaRef `json:"image"`
	Voice    kfMediaRef `json:"voice"`
	Video    kfMediaRef `json:"video"`
	File     kfMediaRef `json:"file"`
	Location struct {
		Latitude  json.Number `json:"latitude"`
		Longitude json.Number `json:"longitude"`
		Name      string      `json:"name"`
		Address   string      `json:"address"`
	} `json:"location"`
	Link struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
		URL   string `json:"url"`
	} `json:"link"`
	BusinessCard struct {
		UserID string `json:"userid"`
	} `json:"business_card"`
	MiniProgram struct {
		Title string `json:"title"`
		Page  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	} `json:"miniprogram"`
	Menu struct {
		Head string `json:"head_content"`
		List []struct {
			Click struct {
				Content string `json:"content"`
			} `json:"click"`
			View struct {
				Content string `json:"content"`
				URL     string `json:"url"`
			} `json:"view"`
		} `json:"list"`
		Tail string `json:"tail_content"`
	} `json:"msgmenu"`
	Event kfEvent `json:"event"`

	envelope desk.Envelope
}

type kfMediaRef struct {
	ID string `json:"media_id"`
}

// A kfEvent holds what the events tell, each its part.
type kfEvent struct {
	Type        string `json:"event_type"`
	Customer    string `json:"external_userid"`
	Scene       string `json:"scene"`
	SceneParam  string `json:"scene_param"`
	FailMsgID   string `json:"fail_msgid"`
	FailType    int    `json:"fail_type"`
	Change      int    `json:"change_type"`
	NewServicer string `json:"new_servicer_userid"`
	RecallMsgID string `json:"recall_msgid"`
	Reject      int    `json:"reject_switch"`
}

func decodeKf(e desk.Envelope) ([]desk.Inbound, error) {
	r := kfReading{envelope: e}
	if err := json.Unmarshal(e.Raw, &r); err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	if r.MsgType == "event" {
		return r.event(), nil
	}
	if clean(r.ExternalUserID) == "" {
		return nil, fmt.Errorf("decode message: %w", errNoCustomer)
	}
	return []desk.Inbound{r.message()}, nil
}

func (r kfReading) at() desk.Time {
	if r.SendTime == 0 || r.SendTime > 1<<35 {
		return r.envelope.ReceivedAt
	}
	return desk.Time(int64(r.SendTime) * 1000)
}

func (r kfReading) from(customer string) desk.Inbound {
	in := desk.Inbound{Type: desk.EnvelopeMessage, SentAt: r.at(), Name: r.envelope.Meta["name"],
		From: desk.Identity{Type: "wecom_userid", Value: clean(customer), Scope: r.envelope.ChannelID, Verified: true}}
	if id := r.envelope.Meta["unionid"]; id != "" {
		in.Also = []desk.Identity{{Type: "wechat_unionid", Value: id, Verified: true}}
	}
	return in
}

func (r kfReading) message() desk.Inbound {
	in := r.from(r.ExternalUserID)
	switch r.Origin {
	case originServicer:
		in.FromAgent, in.NoTicket, in.Name = true, true, clean(r.ServicerUserID)
	case originSystem:
		in.NoTicket, in.Class = true, desk.ClassAuto
	default:
		in.Window = window(r.envelope.Meta, in.SentAt)
	}
	r.content(&in)
	in.Text = clean(in.Text)
	return in
}

func (r kfReading) content(in *desk.Inbound) {
	switch r.MsgType {
	case "text":
		in.Text = r.Text.Content
	case "image":
		in.Attachments = r.media(r.Image.ID, "image.jpg", "image/jpeg")
	case "voice":
		in.Attachments = r.media(r.Voice.ID, "voice.amr", "audio/amr")
	case "video":
		in.Attachments = r.media(r.Video.ID, "video.mp4", "video/mp4")
	case "file":
		in.Attachments = r.media(r.File.ID, "file", "application/octet-stream")
	case "location":
		in.Text = place(r.Location.Latitude.String(), r.Location.Longitude.String(), lines(r.Location.Name, r.Location.Address))
	case "link":
		in.Text = lines(r.Link.Title, r.Link.Desc, r.Link.URL)
	case "business_card":
		in.Text = about("［名片 Business card］", tag(r.BusinessCard.UserID))
	case "miniprogram":
		in.Text = card(r.MiniProgram.Title, r.MiniProgram.Page)
		in.Attachments = r.media(r.MiniProgram.Thumb, "card-thumb.jpg", "image/jpeg")
	case "msgmenu":
		parts := []string{r.Menu.Head}
		for _, item := range r.Menu.List {
			parts = append(parts, lines(item.Click.Content, item.View.Content, item.View.URL))
		}
		in.Text = lines(append(parts, r.Menu.Tail)...)
	default:
		in.Text = unknown(r.MsgType)
	}
}

func (r kfReading) media(id, name, typ string) []desk.InboundAttachment {
	if id == "" {
		return nil
	}
	return []desk.InboundAttachment{{Name: name, Type: typ, Ref: refOf(accountKf, id), ExpiresAt: r.at().Add(mediaLife)}}
}

// event understands what happened in the account. What concerns no customer is in the ledger alone.
func (r kfReading) event() []desk.Inbound {
	if r.Event.Type == "msg_send_fail" {
		return r.sendFailed()
	}
	customer := first(r.Event.Customer, r.ExternalUserID)
	if clean(customer) == "" {
		return nil
	}
	in := r.from(customer)
	in.NoTicket, in.Class = true, desk.ClassAuto
	switch r.Event.Type {
	case "enter_session":
		in.Text = about(say("［进入会话］", "[Opened the conversation]"), lines(tag(r.Event.Scene), tag(r.Event.SceneParam)))
	case "session_status_change":
		in.Text = r.session()
	case "user_recall_msg":
		in.Text, in.Retracts = say("［客户撤回了一条消息］", "[The customer took a message back]"), clean(r.Event.RecallMsgID)
	case "reject_customer_msg_switch_change":
		in.Text = say("［同事在企业微信中恢复接收此客户的消息］", "[A colleague lets this customer write again in WeCom]")
		if r.Event.Reject == 1 {
			in.Text = say("［同事在企业微信中拒收了此客户的消息］", "[A colleague refuses this customer's messages in WeCom]")
		}
	default:
		in.Text = say("［事件："+first(tag(r.Event.Type), "?")+"］", "[Event: "+first(tag(r.Event.Type), "?")+"]")
	}
	return []desk.Inbound{in}
}

// session tells who has a conversation in WeCom.
func (r kfReading) session() string {
	who := tag(r.Event.NewServicer)
	switch r.Event.Change {
	case 1:
		return about(say("［同事在企业微信中接入了会话］", "[A colleague took the conversation in WeCom]"), who)
	case 2:
		return about(say("［会话在企业微信中被转接］", "[The conversation was handed over in WeCom]"), who)
	case 3:
		return say("［会话在企业微信中已结束］", "[The conversation was ended in WeCom]")
	}
	return say("［会话状态变更］", "[The conversation's state changed]")
}

// failTypes are the reasons of msg_send_fail.
var failTypes = map[int]verdict{
	0:  {zh: "微信没有说明原因。", en: "WeChat gives no reason."},
	1:  {zh: "客服账号已删除。", en: "The customer-service account was deleted."},
	2:  {zh: "应用已关闭。", en: "The app is switched off."},
	4:  {zh: "客户已超过 48 小时没有发来消息。", en: "The customer has not written in the last 48 hours."},
	5:  {zh: "会话已关闭。", en: "The conversation is closed."},
	6:  {zh: "回复条数超过 5 条，要等客户再次发来消息。", en: "More than five answers; the customer has to write again."},
	7:  {zh: "未绑定视频号。", en: "No video channel is bound to the account."},
	8:  {zh: "企业主体未验证。", en: "The corporation is not verified."},
	9:  {zh: "未绑定视频号，且企业主体未验证。", en: "No video channel is bound, and the corporation is not verified."},
	10: {zh: "客户拒收了消息。", en: "The customer refuses messages."},
	11: {zh: "企业没有完成认证。", en: "The corporation has not completed its verification."},
	12: {zh: "消息内容不合规，被微信拦截。", en: "WeChat has blocked the content."},
	13: {zh: "消息被微信安全策略拦截。", en: "WeChat's security has blocked the message."},
}

// sendFailed: a reply that was taken has failed afterwards.
func (r kfReading) sendFailed() []desk.Inbound {
	ids := []string{clean(r.Event.FailMsgID)}
	if id := replyID(r.Event.FailMsgID); id != "" {
		ids = append(ids, id)
	}
	why, ok := failTypes[r.Event.FailType]
	if !ok {
		why = failTypes[0]
	}
	return []desk.Inbound{{Type: desk.EnvelopeReceipt, SentAt: r.at(), Receipt: &desk.Receipt{ExternalIDs: ids, State: desk.DeliveryFailed,
		Code: "msg_send_fail " + strconv.Itoa(r.Event.FailType), Hint: say("微信没有送达："+why.zh, "WeChat did not deliver it: "+why.en)}}}
}

package wechat

import (
	"context"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"hearback/connectors"
	"hearback/desk"
)

// meansTemplate is the way out when the reply window is shut.
const meansTemplate = "template"

// A subscription is a mini-program's one-time message; the customer has to have agreed to it.
type subscription struct {
	ToUser     string                               `json:"touser"`
	TemplateID string                               `json:"template_id"`
	Page       string                               `json:"page,omitempty"`
	Data       map[string]*message.TemplateDataItem `json:"data"`
}

// sendTemplate sends the channel's template message with the agent's words in it. Its receipt comes as TEMPLATESENDJOBFINISH.
func (c *official) sendTemplate(ctx context.Context, out desk.Outbound) (connectors.Receipt, error) {
	t := c.s.template
	if t.id == "" {
		return connectors.Receipt{}, &connectors.SendError{Class: connectors.Permanent, Code: "no_means", Hint: say("没有配置模板消息。", "No template message is set up.")}
	}
	data := c.templateData(out)
	if c.s.account == accountMiniprogram {
		err := c.api.post(ctx, "/cgi-bin/message/subscribe/send", true, subscription{out.Sender, t.id, t.page, data}, nil)
		return connectors.Receipt{}, err
	}
	// client_msg_id makes a repeated one harmless within ten minutes; a later one would be a second message, so it counts as lasting.
	msg := message.TemplateMessage{ToUser: out.Sender, TemplateID: t.id, URL: t.page, Data: data, ClientMsgID: msgID(out.ExternalID)}
	var answer struct {
		ID int64 `json:"msgid"`
	}
	if err := c.api.post(ctx, "/cgi-bin/message/template/send", true, msg, &answer); err != nil {
		return connectors.Receipt{}, err
	}
	receipt := connectors.Receipt{State: desk.DeliverySent}
	if answer.ID != 0 {
		receipt.ExternalID = strconv.FormatInt(answer.ID, 10)
	}
	return receipt, nil
}

func (c *official) templateData(out desk.Outbound) map[string]*message.TemplateDataItem {
	fill := strings.NewReplacer("{text}", strings.Join(strings.Fields(out.Text), " "), "{number}", out.Number, "{agent}", out.Author.Name,
		"{time}", c.tools.Now().In(beijing).Format("2006-01-02 15:04"))
	data := make(map[string]*message.TemplateDataItem, len(c.s.template.data))
	for name, value := range c.s.template.data {
		data[name] = &message.TemplateDataItem{Value: fill.Replace(value)}
	}
	return data
}

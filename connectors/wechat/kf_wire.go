package wechat

// kfHead stands at the head of every message of sync_msg (developer.work.weixin.qq.com/document/path/94670).
type kfHead struct {
	MsgID          string `json:"msgid"`
	OpenKFID       string `json:"open_kfid"`       // "" on events
	ExternalUserID string `json:"external_userid"` // "" on events
	ServicerUserID string `json:"servicer_userid"`
	SendTime       uint64 `json:"send_time"` // unix seconds
	Origin         uint32 `json:"origin"`
}

// A kfMessage is one message of send_msg or, with Code in place of the addressees, of send_msg_on_event. One of its elements is set, the
// one MsgType names.
type kfMessage struct {
	ToUser   string     `json:"touser,omitempty"`
	OpenKFID string     `json:"open_kfid,omitempty"`
	Code     string     `json:"code,omitempty"`
	MsgID    string     `json:"msgid,omitempty"` // at most 32 bytes of [0-9a-zA-Z_-]: the same again is shown once
	MsgType  string     `json:"msgtype"`
	Text     *kfText    `json:"text,omitempty"`
	Image    *kfMediaID `json:"image,omitempty"`
	Voice    *kfMediaID `json:"voice,omitempty"`
	Video    *kfMediaID `json:"video,omitempty"`
	File     *kfMediaID `json:"file,omitempty"`
}

type kfText struct {
	Content string `json:"content"` // at most 2,048 bytes
}

type kfMediaID struct {
	MediaID string `json:"media_id"`
}

func (m kfMessage) withText(text string) kfMessage {
	m.MsgType, m.Text = "text", &kfText{text}
	return m
}

// withMedia makes it a message of one of the media types.
func (m kfMessage) withMedia(kind, id string) kfMessage {
	medium := &kfMediaID{id}
	switch m.MsgType = kind; kind {
	case mediaImage:
		m.Image = medium
	case mediaVoice:
		m.Voice = medium
	case mediaVideo:
		m.Video = medium
	default:
		m.MsgType, m.File = mediaFile, medium
	}
	return m
}

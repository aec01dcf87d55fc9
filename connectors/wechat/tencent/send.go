package tencent

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// maxText is what a text may hold, in bytes of UTF-8.
const maxText = 2048

// outgoing is the body of message/custom/send.
type outgoing struct {
	ToUser  string `json:"touser"`
	MsgType string `json:"msgtype"`
	content
	CustomService struct {
		Account string `json:"kf_account"`
	} `json:"customservice"`
}

// content are the message types of all send endpoints.
type content struct {
	Text *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *mediaRef `json:"image"`
	Voice *mediaRef `json:"voice"`
	Video *mediaRef `json:"video"`
	File  *mediaRef `json:"file"`
	Music *struct {
		Title string `json:"title"`
		URL   string `json:"musicurl"`
	} `json:"music"`
	News *struct {
		Articles []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			URL         string `json:"url"`
			PicURL      string `json:"picurl"`
		} `json:"articles"`
	} `json:"news"`
	Menu *struct {
		Head string     `json:"head_content"`
		List []menuItem `json:"list"`
		Tail string     `json:"tail_content"`
	} `json:"msgmenu"`
	Link *struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Desc        string `json:"desc"` // kf
		URL         string `json:"url"`
	} `json:"link"`
	Page *struct {
		Title string `json:"title"`
		AppID string `json:"appid"`
		Path  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	} `json:"miniprogrampage"`
	Program *struct {
		Title string `json:"title"`
		AppID string `json:"appid"`
		Path  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	} `json:"miniprogram"` // kf
	Location *struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"location"` // kf
}

type mediaRef struct {
	MediaID string `json:"media_id"`
	Thumb   string `json:"thumb_media_id"`
	Title   string `json:"title"`
}

// A menuItem is {"id","content"} for official accounts and {"type":"click","click":{"id","content"}} for kf.
type menuItem struct {
	ID      any    `json:"id"`
	Content string `json:"content"`
	Type    string `json:"type"`
	Click   *struct {
		ID      string `json:"id"`
		Content string `json:"content"`
	} `json:"click"`
	View *struct {
		URL     string `json:"url"`
		Content string `json:"content"`
	} `json:"view"`
	Text *struct {
		Content string `json:"content"`
	} `json:"text"`
}

func (m menuItem) choice() Choice {
	switch {
	case m.Click != nil:
		return Choice{m.Click.ID, m.Click.Content}
	case m.View != nil:
		return Choice{"", m.View.Content}
	case m.Text != nil:
		return Choice{"", m.Text.Content}
	}
	id := ""
	switch v := m.ID.(type) {
	case string:
		id = v
	case float64:
		id = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return Choice{id, m.Content}
}

// customSend is the customer message of official accounts and mini-programs.
func (t *Tencent) customSend(r request) answer {
	var in outgoing
	switch {
	case r.Method != "POST":
		return refused(43002)
	case !utf8.Valid(r.body) || !r.into(&in):
		return refused(47001)
	case r.acc.Kind == KF:
		return refused(48001)
	}
	if code := t.countSend(r.acc); code != 0 {
		return refused(code)
	}
	c := r.acc.customers[in.ToUser]
	if c == nil {
		return refused(40003)
	}
	shown, code := t.render(r.acc, in.MsgType, in.content)
	switch {
	case code != 0:
		return refused(code)
	case !c.subscribed && r.acc.Kind == Official:
		return refused(45015)
	case c.blocked:
		return refused(43019)
	}
	switch late, used := c.rights.spend(t.now()); {
	case late:
		return refused(45015)
	case used:
		return refused(45047)
	}
	shown.From, shown.Via, shown.Agent = FromAccount, "custom", in.CustomService.Account
	c.show(shown)
	return ok(nil)
}

// countSend counts against the account's daily cap.
func (t *Tencent) countSend(acc *account) int {
	if today := t.now().Truncate(24 * time.Hour); !today.Equal(acc.day) {
		acc.day, acc.sends = today, 0
	}
	acc.sends++
	if acc.DailyCap > 0 && acc.sends > acc.DailyCap {
		return 45009
	}
	return 0
}

// render judges a message and makes the line the phone shows.
func (t *Tencent) render(acc *account, msgType string, in content) (Shown, int) {
	s := Shown{Type: msgType}
	switch {
	case msgType == "text" && in.Text != nil:
		s.Text = in.Text.Content
		return s, judgeText(s.Text)
	case msgType == "image" && in.Image != nil:
		return t.withMedia(acc, s, in.Image)
	case msgType == "voice" && in.Voice != nil:
		return t.withMedia(acc, s, in.Voice)
	case msgType == "video" && in.Video != nil:
		return t.withMedia(acc, s, in.Video)
	case msgType == "file" && in.File != nil && acc.Kind == KF:
		return t.withMedia(acc, s, in.File)
	case msgType == "msgmenu" && in.Menu != nil:
		return renderMenu(s, in)
	}
	return renderCard(acc, s, in)
}

func judgeText(s string) int {
	switch {
	case s == "":
		return 44004
	case len(s) > maxText:
		return 45002
	}
	return 0
}

func renderMenu(s Shown, in content) (Shown, int) {
	s.Text, s.Title = in.Menu.Head, in.Menu.Tail
	for _, item := range in.Menu.List {
		s.Menu = append(s.Menu, item.choice())
	}
	if len(s.Text) > 1024 || len(s.Menu) > 50 {
		return s, 45002
	}
	return s, 0
}

// renderCard makes the line of what is tapped to open something.
func renderCard(acc *account, s Shown, in content) (Shown, int) {
	switch {
	case s.Type == "news" && in.News != nil && acc.Kind == Official:
		if len(in.News.Articles) != 1 {
			return s, 45008
		}
		a := in.News.Articles[0]
		s.Title, s.Text, s.URL = a.Title, a.Description, a.URL
	case s.Type == "link" && in.Link != nil && acc.Kind != Official:
		s.Title, s.Text, s.URL = in.Link.Title, in.Link.Description+in.Link.Desc, in.Link.URL
	case s.Type == "music" && in.Music != nil && acc.Kind == Official:
		s.Title, s.URL = in.Music.Title, in.Music.URL
	case s.Type == "miniprogrampage" && in.Page != nil && acc.Kind != KF:
		s.Title, s.URL = in.Page.Title, in.Page.Path
	case s.Type == "miniprogram" && in.Program != nil && acc.Kind == KF:
		s.Title, s.URL = in.Program.Title, in.Program.Path
	case s.Type == "location" && in.Location != nil && acc.Kind == KF:
		s.Title, s.Text = in.Location.Name, in.Location.Address
	default:
		return s, 40008
	}
	return s, 0
}

func (t *Tencent) withMedia(acc *account, s Shown, ref *mediaRef) (Shown, int) {
	m := t.medium(acc, ref.MediaID)
	if m == nil || m.class != s.Type {
		return s, 40007
	}
	s.Data, s.Media, s.Title = m.data, m.typ, ref.Title
	if s.Type == "file" {
		s.Title = m.name
	}
	return s, 0
}

// customTyping shows the hint for 15 s, within 30 s of something the customer did.
func (t *Tencent) customTyping(r request) answer {
	var in struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if !r.into(&in) {
		return refused(47001)
	}
	c := r.acc.customers[in.ToUser]
	now := t.now()
	switch {
	case c == nil:
		return refused(40003)
	case in.Command == "CancelTyping":
		c.typing = time.Time{}
		return ok(nil)
	case in.Command != "Typing":
		return refused(45072)
	case now.Sub(c.touched) > 30*time.Second:
		return refused(45080)
	case now.Before(c.typing):
		return refused(45081)
	}
	c.typing = now.Add(15 * time.Second)
	return ok(nil)
}

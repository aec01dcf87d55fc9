package webchat

import (
	"encoding/json"
	"time"

	"hearback/desk"
)

// publicConfig is what everybody may know of a channel.
type publicConfig struct {
	Channel   desk.ID  `json:"channel"`
	Title     string   `json:"title"`
	Greeting  string   `json:"greeting"`
	Color     string   `json:"color"`
	Locale    string   `json:"locale"`
	Online    bool     `json:"online"`
	MaxText   int      `json:"max_text"` // characters
	MaxFile   int64    `json:"max_file"` // bytes
	FileTypes []string `json:"file_types"`
}

func (c *Channel) config() publicConfig {
	return publicConfig{
		Channel: c.id, Title: c.set.title, Greeting: c.set.greeting, Color: c.set.color, Locale: c.set.locale, Online: c.online(),
		MaxText: maxRunes, MaxFile: c.set.maxFile, FileTypes: c.set.fileTypes,
	}
}

type welcome struct {
	Type         string       `json:"type"`
	Last         int64        `json:"last"`
	AgentOnline  bool         `json:"agent_online"`
	Config       publicConfig `json:"config"`
	VisitorToken string       `json:"visitor_token,omitempty"` // a fresh one when the page's is older than a day
}

// hello decides where this window begins: after the position it names, or with the recent part of the conversation. Live
// events are heard from the first moment and only raise want until that is decided, so none falls between.
func (s *socket) hello(f *clientFrame) {
	c := s.channel
	s.page, s.language = cut(f.Page, 2000), cut(f.Language, 35)
	s.mu.Lock()
	s.ready, s.catching, s.paused, s.want = true, true, true, 0
	s.mu.Unlock()
	last, err := c.tools.Log.Last(c.ctx, s.v.id)
	if err != nil {
		s.mu.Lock()
		s.ready, s.catching, s.paused = false, false, false
		s.mu.Unlock()
		s.refuse(&refusal{code: "unavailable", detail: "The conversation cannot be read now. Say hello again.", after: 2 * time.Second}, "")
		return
	}
	from := f.After
	if from <= 0 || from > last { // a position we never gave: begin anew
		from = max(0, last-openingLog)
	}
	w := welcome{Type: "welcome", Last: last, AgentOnline: c.online(), Config: c.config()}
	if now := c.now(); now.Sub(time.Unix(s.who.Issued, 0)) > tokenRenew {
		w.VisitorToken = c.issue(s.who.Visitor, s.who.profile)
	}
	body, _ := json.Marshal(w) // plain data: cannot fail
	s.hold()
	s.push(frame{frameText, body})
	s.mu.Lock()
	s.last, s.paused = from, false
	if from == last && s.want <= last {
		s.catching = false
	}
	s.mu.Unlock()
	s.release()
	if last > 0 {
		c.cameBack(s.v)
	}
	if f.After > 0 && f.After <= last {
		c.acknowledge(s.v, f.After, 0)
	}
}

// cameBack tells the agents, once, that a visitor they know is there.
func (c *Channel) cameBack(v *visitor) {
	v.mu.Lock()
	first := !v.online
	v.online = true
	v.active = c.now().Unix()
	v.mu.Unlock()
	if first {
		c.signal("online", v.id, nil)
	}
}

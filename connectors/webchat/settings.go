package webchat

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"hearback/desk"
)

const (
	maxRunes       = 4000     // characters of one message
	maxText        = 16 << 10 // bytes of one message
	maxFrame       = 64 << 10 // bytes of one frame or request body
	maxAttachments = 10       // files of one message
	maxDepth       = 16       // nesting of JSON; ours needs 2
)

// settings is a channel's configuration, understood.
type settings struct {
	origins    map[string]bool
	anyOrigin  bool
	secret     string
	title      string
	greeting   string
	color      string
	locale     string
	fileTypes  []string
	maxFile    int64
	perMinute  int // messages per visitor; 0: no limits at all
	perAddress int // new visitors per address and minute; 0: no limit
}

func readSettings(ch desk.Channel, publicURL string) (settings, error) {
	get := func(name, otherwise string) string {
		if v := ch.Settings[name]; v != "" {
			return v
		}
		return otherwise
	}
	if problems := check(ch.Settings); len(problems) > 0 {
		return settings{}, fmt.Errorf("%s: %w: %s", problems[0].Field, desk.ErrInvalid, problems[0].Text.En)
	}
	s := settings{
		origins: map[string]bool{}, secret: get("identity_secret", ""), title: get("title", ch.Name), greeting: get("greeting", ""),
		color: get("color", defaultColor), locale: get("locale", "auto"), fileTypes: splitList(get("file_types", defaultTypes)),
	}
	for _, o := range splitList(ch.Settings["origins"]) {
		if o == "*" {
			s.anyOrigin = true
			continue
		}
		origin, err := parseOrigin(o)
		if err != nil {
			return settings{}, err
		}
		s.origins[origin] = true
	}
	numbers := map[string]*int{"rate_per_minute": &s.perMinute, "visitors_per_minute": &s.perAddress}
	defaults := map[string]string{"rate_per_minute": "60", "visitors_per_minute": "120"}
	for name, to := range numbers {
		n, err := strconv.Atoi(get(name, defaults[name]))
		if err != nil || n < 0 {
			return settings{}, fmt.Errorf("%s: %w: give a whole number", name, desk.ErrInvalid)
		}
		*to = n
	}
	mb, err := strconv.Atoi(get("max_file_mb", "10"))
	if err != nil || mb < 1 || mb > 99 {
		return settings{}, fmt.Errorf("max_file_mb: %w: give a number from 1 to 99", desk.ErrInvalid)
	}
	s.maxFile = int64(mb) << 20
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		s.origins[strings.ToLower(u.Scheme+"://"+u.Host)] = true // the widget's frame is a page of ours
	}
	return s, nil
}

package telephony

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones of profiles must be known on machines that have none installed

	"github.com/BurntSushi/toml"

	"hearback/connectors"
	"hearback/desk"
)

// profileFile is the TOML as written.
type profileFile struct {
	Name   string `toml:"name"`
	NameEn string `toml:"name_en"`
	Note   string `toml:"note"`

	Request struct {
		Payload string   `toml:"payload"`
		Methods []string `toml:"methods"`
		List    string   `toml:"list"`
	} `toml:"request"`
	Auth   profileAuth `toml:"auth"`
	Answer struct {
		Status int    `toml:"status"`
		Type   string `toml:"type"`
		Body   string `toml:"body"`
	} `toml:"answer"`
	Time struct {
		Format string `toml:"format"`
		Zone   string `toml:"zone"`
	} `toml:"time"`
	Call  profileSection   `toml:"call"`
	Event []profileSection `toml:"event"`
}

// profileSection is a table of rules beside its conditions.
type profileSection map[string]any

// profileReader collects what is wrong with a profile.
type profileReader struct {
	text     string
	problems []connectors.Text
}

// parseProfile reads TOML. The problems name line and key, in both languages; a profile with problems is not to be used.
func parseProfile(text string) (*profile, []connectors.Text) {
	r := &profileReader{text: text}
	if len(text) > maxProfileText {
		r.say(0, "", fmt.Sprintf("映射不得超过 %d KB。", maxProfileText>>10), fmt.Sprintf("a profile may have at most %d KB", maxProfileText>>10))
		return nil, r.problems
	}
	var f profileFile
	meta, err := toml.Decode(text, &f)
	if err != nil {
		r.syntax(err)
		return nil, r.problems
	}
	r.unknown(meta.Undecoded())
	p := &profile{Title: connectors.Text{Zh: f.Name, En: f.NameEn}, Auth: f.Auth}
	if p.Title.En == "" {
		p.Title.En = f.Name
	}
	r.request(p, &f)
	r.auth(&p.Auth)
	r.answer(p, &f)
	r.times(p, &f)
	r.events(p, &f)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return p, nil
}

// unknown reports keys nobody reads, once for a whole table. What stands in [call] and [[event]] is judged with its rules.
func (r *profileReader) unknown(keys []toml.Key) {
	told := ""
	for _, key := range keys {
		if key[0] == "call" || key[0] == "event" || told != "" && strings.HasPrefix(key.String(), told+".") {
			continue
		}
		told = key.String()
		r.at(told, "没有这个键", "there is no such key")
	}
}

func (r *profileReader) syntax(err error) {
	var pe toml.ParseError
	if errors.As(err, &pe) {
		r.say(pe.Position.Line, pe.LastKey, "不是有效的 TOML："+pe.Message, "this is not valid TOML: "+pe.Message)
		return
	}
	r.say(0, "", "不是有效的 TOML："+err.Error(), "this is not valid TOML: "+err.Error())
}

// at reports a problem of a key, with its line.
func (r *profileReader) at(key, zh, en string) {
	if len(r.problems) < maxProfileProblems {
		r.say(lineOfKey(r.text, key), key, zh, en)
	}
}

// maxProfileProblems are enough for one look; more would only cost time.
const maxProfileProblems = 30

func (r *profileReader) say(line int, key, zh, en string) {
	if len(r.problems) >= maxProfileProblems {
		return
	}
	t := connectors.Text{Zh: zh, En: en}
	if key != "" {
		t = connectors.Text{Zh: key + "：" + t.Zh, En: key + ": " + t.En}
	}
	if line > 0 {
		t = connectors.Text{Zh: fmt.Sprintf("第 %d 行，%s", line, t.Zh), En: fmt.Sprintf("line %d, %s", line, t.En)}
	}
	if !strings.HasSuffix(t.Zh, "。") {
		t.Zh += "。"
	}
	t.En = strings.TrimSuffix(t.En, ".") + "."
	r.problems = append(r.problems, t)
}

// oneOf reports a value that is none of the choices.
func (r *profileReader) oneOf(key, value string, choices ...string) {
	if !slices.Contains(choices, value) {
		list := strings.Join(choices, ", ")
		r.at(key, fmt.Sprintf("“%s”无效，可填 %s", brief(value), list), fmt.Sprintf("%q is none of %s", brief(value), list))
	}
}

func (r *profileReader) request(p *profile, f *profileFile) {
	p.Request = profileRequest{Payload: f.Request.Payload, Methods: f.Request.Methods, List: f.Request.List}
	if p.Request.Payload == "" {
		p.Request.Payload = "json"
	}
	r.oneOf("request.payload", p.Request.Payload, "json", "form", "query", "xml")
	if len(p.Request.Methods) == 0 {
		p.Request.Methods = []string{"POST"}
		if p.Request.Payload == "query" {
			p.Request.Methods = []string{"GET", "POST"}
		}
	}
	for _, m := range p.Request.Methods {
		r.oneOf("request.methods", m, "GET", "POST", "PUT")
	}
	if p.Request.List != "" && p.Request.List != "." {
		r.path("request.list", p.Request.List)
	}
}

func (r *profileReader) answer(p *profile, f *profileFile) {
	p.Answer = connectors.Answer{Status: f.Answer.Status, Type: f.Answer.Type, Body: f.Answer.Body}
	if p.Answer.Status == 0 {
		p.Answer.Status = 200
	}
	if p.Answer.Status < 200 || p.Answer.Status > 299 {
		r.at("answer.status", "须在 200 与 299 之间", "must be between 200 and 299")
	}
	if p.Answer.Type == "" {
		p.Answer.Type = "application/json"
	}
	// The answer stands on our own address: it must not be able to be a page.
	r.oneOf("answer.type", p.Answer.Type, "application/json", "text/plain", "text/xml", "application/xml")
	if len(p.Answer.Body) > 4096 {
		r.at("answer.body", "不得超过 4 KB", "may have at most 4 KB")
	}
}

func (r *profileReader) times(p *profile, f *profileFile) {
	p.Time = profileTime{Format: f.Time.Format}
	if zone := f.Time.Zone; zone != "" {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			r.at("time.zone", fmt.Sprintf("不认识时区“%s”，例如 Asia/Shanghai", brief(zone)), fmt.Sprintf("zone %q is not known; an example is Asia/Shanghai", brief(zone)))
		}
		p.Time.Zone = loc
	}
	if err := checkTimeFormat(p.Time.Format); err != nil {
		r.at("time.format", err.Zh, err.En)
	}
}

// callEventTypes are the words for what happened.
var callEventTypes = []string{desk.CallInitiated, desk.CallRinging, desk.CallIVR, desk.CallQueued, desk.CallAnswered, desk.CallTransferred,
	desk.CallHangup, desk.CallRecording, desk.CallVoicemail, desk.CallTranscript, desk.CallRating, desk.CallCDR}

func (r *profileReader) events(p *profile, f *profileFile) {
	p.Call = r.section("call", f.Call)
	if len(p.Call.When) > 0 {
		r.at("call.when", "条件只能写在 [[event]] 中", "conditions belong into an [[event]]")
	}
	if len(f.Event) == 0 {
		r.say(0, "event", "至少要有一个 [[event]]", "at least one [[event]] is needed")
	}
	if len(f.Event) > maxProfileEvents {
		r.say(0, "event", fmt.Sprintf("最多 %d 个", maxProfileEvents), fmt.Sprintf("at most %d are allowed", maxProfileEvents))
		return
	}
	for i, s := range f.Event {
		key := fmt.Sprintf("event[%d]", i+1)
		e := r.section(key, s)
		p.Events = append(p.Events, e)
		if _, ok := p.rule(&e, "type"); !ok {
			r.at(key, "缺少 type", "type is missing")
		}
		if _, ok := p.rule(&e, "call_id"); !ok {
			r.at(key, "缺少 call_id（可写在 [call] 中）", "call_id is missing (it may stand in [call])")
		}
	}
}

// section reads a table of rules.
func (r *profileReader) section(key string, s profileSection) profileRules {
	out := profileRules{Set: map[string]profileRule{}}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		at := key + "." + name
		if name == "when" {
			out.When = r.conditions(at, s[name])
			continue
		}
		if !slices.Contains(profileFields, name) {
			r.at(at, "没有这个字段，可用的有 "+strings.Join(profileFields, ", "), "there is no such field; there are "+strings.Join(profileFields, ", "))
			continue
		}
		rule := r.rule(at, s[name])
		r.words(at, name, rule)
		out.Set[name] = rule
	}
	return out
}

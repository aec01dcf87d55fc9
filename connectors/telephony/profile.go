package telephony

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"hearback/connectors"
	"hearback/desk"
)

// A profile says how a call centre without a format of its own here tells of its calls: where the payload is, which of its fields
// mean what, who may send it and what is answered. It is data (TOML, docs/telephony-profiles.md): reading one and mapping by one
// is pure.
type profile struct {
	Title   connectors.Text
	Request profileRequest
	Auth    profileAuth
	Answer  connectors.Answer
	Time    profileTime
	Call    profileRules   // of every event
	Events  []profileRules // each one whose conditions hold makes one event of a record
}

// profileRequest says where the payload is.
type profileRequest struct {
	Payload string   // json, form, query, xml
	Methods []string // GET, POST, PUT
	List    string   // path of the array of records; "" means that the payload is one record, "." that it is the array itself
}

// profileRules are conditions and what is set when all of them hold.
type profileRules struct {
	When []profileCondition // sorted by path
	Set  map[string]profileRule
}

// A profileCondition holds when the value at Path is one of Values. "*" means any but empty, "" empty or absent, "!x" not x.
type profileCondition struct {
	Path   string
	Values []string
}

// A profileRule says where a field's value comes from.
type profileRule struct {
	Paths    []string          // the first that holds something is taken
	Const    string            // taken when there is no path
	Template string            // "{FileServer}/{RecordFile}": empty when one of its paths holds nothing
	Map      map[string]string // value told -> value meant; "*" for all others. Without it the value stays.
	Default  string            // when the rest gives nothing
	Split    string            // separator of a list in one value
	Format   string            // of this time, when it is another than the profile's
}

// Limits keep a profile and what it is fed from costing more than a telephone call is worth.
const (
	maxProfileText    = 16 << 10
	maxProfileEvents  = 40
	maxProfileMap     = 300
	maxProfilePath    = 200 // bytes
	maxProfileDepth   = 32  // of a payload
	maxProfileRecords = 500 // of one request
	maxProfileValue   = 16 << 10
)

//go:embed profiles/*.toml
var shippedProfiles embed.FS

// openProfile reads a mapping profile: a shipped one by name, or a whole one.
func openProfile(setting string) (format, error) {
	p, problems := parseProfile(profileText(setting))
	if len(problems) > 0 {
		return nil, fmt.Errorf("read profile: %s: %w", problems[0].En, desk.ErrInvalid)
	}
	return p, nil
}

// verify holds a request to the profile's methods and authentication.
func (p *profile) verify(d *door, r *request) *refusal {
	if !slices.Contains(p.Request.Methods, r.Method) {
		return refuse(http.StatusMethodNotAllowed, "The profile takes "+strings.Join(p.Request.Methods, ", ")+" only.")
	}
	if err := p.Auth.verify(d, r); err != nil {
		return refuse(http.StatusUnauthorized, "Refused: "+err.Error()+".")
	}
	return nil
}

// read understands a request by the profile.
func (p *profile) read(s *settings, r *request) ([]report, error) {
	reports, _, err := p.reports(s, r)
	if err != nil {
		return nil, unreadable("The request is not what the profile says: %s.", err)
	}
	return reports, nil
}

// taken is the answer the profile names.
func (p *profile) taken(*settings, *request) connectors.Answer { return p.Answer }

func (p *profile) refused(status int, detail string) connectors.Answer {
	return connectors.Answer{Status: status, Type: "text/plain; charset=utf-8", Body: detail}
}

// profileNames lists the shipped profiles.
func profileNames() []string {
	entries, err := shippedProfiles.ReadDir("profiles")
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	slices.Sort(names)
	return names
}

// profileText is the TOML a setting means: the shipped profile of that name, or the setting itself.
func profileText(setting string) string {
	setting = strings.TrimSpace(setting)
	if strings.ContainsAny(setting, "\n=/\\") {
		return setting
	}
	text, err := shippedProfiles.ReadFile("profiles/" + setting + ".toml")
	if err != nil {
		return setting
	}
	return string(text)
}

// checkProfile judges the setting "profile"; no problem means that it can be used.
func checkProfile(setting string) []connectors.Problem {
	text := strings.TrimSpace(setting)
	if names := profileNames(); !strings.ContainsAny(text, "\n=") && !slices.Contains(names, text) {
		list := strings.Join(names, ", ")
		return []connectors.Problem{{Field: "profile", Text: connectors.Text{
			Zh: fmt.Sprintf("没有名为“%s”的自带配置；可填 %s，或粘贴完整的 TOML。", brief(text), list),
			En: fmt.Sprintf("There is no shipped profile %q; there are %s, or paste a whole one in TOML.", brief(text), list)}}}
	}
	var out []connectors.Problem
	_, problems := parseProfile(profileText(text))
	for _, t := range problems {
		out = append(out, connectors.Problem{Field: "profile", Text: t})
	}
	return out
}

// brief is the beginning of a foreign text, for a sentence about it.
func brief(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

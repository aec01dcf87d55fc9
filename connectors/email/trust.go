package email

import (
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/authres"
	"golang.org/x/net/publicsuffix"

	"hearback/desk"
	"hearback/normalizer/mail"
)

// A verdict is what the receiving server found out about where a mail came from (RFC 8601).
type verdict struct {
	checks []desk.Check // by the receiver we trust; none when we trust nobody or he said nothing
	dmarc  string       // his word on DMARC, else "fail" when the topmost field of anybody says so
	from   map[string]bool
}

// noName stands in the list of trusted receivers for one that does not name itself: Exchange Online.
const noName = "-"

// judge reads the Authentication-Results of our own receiver. Anybody can write such a field, also under the receiver's name, so
// only the topmost one under a trusted name counts: servers put theirs above what came in. When the admin named the receiver he
// vouches that it removes foreign fields of its name (RFC 8601, 5): then those that stand right below count for what the first
// does not say, as each filter of a mail server writes its own.
//
// Without a trusted receiver only a failed DMARC is taken from the topmost field: a forged one can harm nobody but its writer.
func judge(e desk.Envelope, m *mail.Mail) verdict {
	v := verdict{from: map[string]bool{}}
	trusted := listed(strings.ToLower(e.Meta["receivers"]))
	top, found, failed := true, false, false
	for name, value := range m.Header.All() {
		if name != "authentication-results" {
			if found && !besideResults(name) {
				break
			}
			continue
		}
		failed = failed || top && dmarcFailed.MatchString(value)
		top = false
		id, results := parseResults(value)
		if !slices.Contains(trusted, id) {
			continue
		}
		if found && e.Meta["receivers_told"] == "" {
			break
		}
		found = true
		v.take(results)
	}
	if v.dmarc == "" && failed {
		v.dmarc = "fail"
	}
	return v
}

// besideResults are fields filters of the receiving server write beside their results.
func besideResults(name string) bool {
	return name == "received-spf" || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "arc-") || strings.HasSuffix(name, "-filter")
}

// take adds what is not said yet.
func (v *verdict) take(results []authres.Result) {
	said := map[string]bool{}
	for _, c := range v.checks {
		said[c.Name] = true
	}
	for _, r := range results {
		c := checkOf(r)
		if c.Result == "" || said[c.Name] || len(v.checks) >= 10 {
			continue
		}
		v.checks = append(v.checks, c)
		if c.Name == "dmarc" && v.dmarc == "" {
			v.dmarc = c.Result
		}
		if c.Result == "pass" {
			v.from[provenDomain(r)] = true
		}
	}
}

func checkOf(r authres.Result) desk.Check {
	detail := func(reason string, parts ...string) string {
		out := ""
		for i := 0; i+1 < len(parts); i += 2 {
			if parts[i+1] != "" {
				out = parts[i] + "=" + parts[i+1]
				break
			}
		}
		return oneLine(strings.TrimSpace(out + " " + reason))
	}
	switch r := r.(type) {
	case *authres.SPFResult:
		return desk.Check{Name: "spf", Result: known(string(r.Value)), Detail: detail(r.Reason, "smtp.mailfrom", r.From, "smtp.helo", r.Helo)}
	case *authres.DKIMResult:
		return desk.Check{Name: "dkim", Result: known(string(r.Value)), Detail: detail(r.Reason, "header.d", r.Domain, "header.i", r.Identifier)}
	case *authres.DMARCResult:
		return desk.Check{Name: "dmarc", Result: known(string(r.Value)), Detail: detail(r.Reason, "header.from", r.From)}
	}
	return desk.Check{}
}

// known keeps the verdicts of RFC 8601; hardfail is what some servers write for fail. "" is no verdict at all.
func known(result string) string {
	if !word.MatchString(result) {
		return ""
	}
	switch result = strings.ToLower(result); result {
	case "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror":
		return result
	case "hardfail":
		return "fail"
	}
	return "none"
}

// provenDomain is whose mail a passed check shows it to be.
func provenDomain(r authres.Result) string {
	switch r := r.(type) {
	case *authres.SPFResult:
		return organisation(domainOf(first(r.From, r.Helo)))
	case *authres.DKIMResult:
		return organisation(first(r.Domain, domainOf(r.Identifier)))
	case *authres.DMARCResult:
		return organisation(domainOf(r.From))
	}
	return ""
}

// proves tells whether the receiver found the mail to come from where its From says.
func (v verdict) proves(from string) bool {
	if v.dmarc == "fail" {
		return false
	}
	return v.dmarc == "pass" || v.from[organisation(domainOf(from))]
}

func domainOf(address string) string {
	return strings.ToLower(strings.Trim(address[strings.LastIndexByte(address, '@')+1:], " <>"))
}

// organisation is the registered domain: mail.example.co.uk is example.co.uk's.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// parseResults reads one field: who wrote it and what he says. QUIRK: Exchange Online writes no name, and comments where none may
// stand: the results it gives are then read one by one.
func parseResults(value string) (id string, results []authres.Result) {
	value = strings.TrimSpace(comments.ReplaceAllString(cut(value, 8<<10), " "))
	head, rest, _ := strings.Cut(value, ";")
	if strings.Contains(head, "=") {
		head, rest = noName, value
	}
	id, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(head)), " ")
	for part := range strings.SplitSeq(rest, ";") {
		part = strings.Join(strings.Fields(part), " ")
		if part == "" || len(results) >= 20 {
			continue
		}
		if _, one, err := authres.Parse("x; " + part); err == nil {
			results = append(results, one...)
		} else if m := plainResult.FindStringSubmatch(part); m != nil {
			results = append(results, plainCheck(strings.ToLower(m[1]), strings.ToLower(m[2])))
		}
	}
	return id, results
}

// plainCheck is a verdict whose particulars could not be read.
func plainCheck(method, result string) authres.Result {
	switch value := authres.ResultValue(result); method {
	case "spf":
		return &authres.SPFResult{Value: value}
	case "dkim":
		return &authres.DKIMResult{Value: value}
	default:
		return &authres.DMARCResult{Value: value}
	}
}

var (
	word        = regexp.MustCompile(`^[A-Za-z]+$`)
	comments    = regexp.MustCompile(`\([^()]{0,1000}\)`)
	plainResult = regexp.MustCompile(`(?i)^(spf|dkim|dmarc)\s*=\s*([a-z]+)`)
	// dmarcFailed matches a failure in any field.
	dmarcFailed = regexp.MustCompile(`(?i)(?:^|[;\s])dmarc\s*=\s*fail\b`)
)

// badges are what the agent sees at a glance.
func badges(m *mail.Mail, v verdict) (out []string) {
	if v.dmarc == "fail" {
		out = append(out, "spoofed")
	}
	if m.Signed != "" {
		out = append(out, "signed")
	}
	if m.Encrypted != "" {
		out = append(out, "encrypted")
	}
	if m.Calendar != nil {
		out = append(out, "invitation")
	}
	return out
}

package telephony

import (
	"cmp"
	"strconv"
	"time"

	"hearback/desk"
)

// settings are what reading needs of a channel's configuration. They travel with each envelope (Envelope.Meta), so no secret is
// among them.
type settings struct {
	format   string
	country  string         // ISO 3166-1, upper case
	areaCode string         // digits without trunk prefix, "10" for Beijing
	profile  string         // name or text of the mapping profile
	zone     *time.Location // of times told without one

	open        string // missed, voicemail, every
	within      time.Duration
	callBackIn  time.Duration
	urgentAfter int
	staleAfter  time.Duration
}

const defaultZone = "Asia/Shanghai"

// traveling lists the settings that go with each envelope.
var traveling = []string{"format", "country", "area_code", "time_zone", "profile", "open", "within_hours", "callback_minutes", "urgent_after", "stale_minutes"}

// readSettings understands a channel's settings or an envelope's Meta; what is not given has its default.
func readSettings(given map[string]string) *settings {
	return &settings{
		zone: zoneNamed(given["time_zone"]), format: cmp.Or(given["format"], "generic"), country: cmp.Or(given["country"], "CN"), areaCode: given["area_code"], profile: given["profile"],
		open: cmp.Or(given["open"], "every"), within: time.Duration(number(given, "within_hours", 72)) * time.Hour,
		callBackIn: time.Duration(number(given, "callback_minutes", 30)) * time.Minute, urgentAfter: number(given, "urgent_after", 3),
		staleAfter: time.Duration(number(given, "stale_minutes", 240)) * time.Minute,
	}
}

// zoneNamed knows China's time by heart (one zone, no summer time since 1991): it is wanted for every event, and looking one up reads
// a file.
func zoneNamed(name string) *time.Location {
	if name == "" || name == defaultZone {
		return time.FixedZone(defaultZone, 8*3600)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

func number(given map[string]string, name string, otherwise int) int {
	n, err := strconv.Atoi(given[name])
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// report puts the channel's wishes into a call report.
func (s *settings) report(id string, e desk.CallEvent, customer string) *desk.CallReport {
	return &desk.CallReport{ID: id, Event: e, Customer: customer, Open: s.open, Within: s.within, CallBackIn: s.callBackIn,
		UrgentAfter: s.urgentAfter, StaleAfter: s.staleAfter}
}

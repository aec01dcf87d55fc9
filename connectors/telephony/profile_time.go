package telephony

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// profileTime says how times are written. The zone counts for those that tell none; nil is the channel's.
type profileTime struct {
	Format string
	Zone   *time.Location
}

// in is the channel's way to tell times, where the profile says nothing.
func (t profileTime) in(s *settings) profileTime {
	if t.Zone == nil && s != nil {
		t.Zone = s.zone
	}
	return t
}

// timeWords are formats by name; any other is a pattern of YYYY MM DD hh mm ss SSS.
var timeWords = []string{"", "auto", "unix", "unix_ms", "rfc3339"}

var timePattern = strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "SSS", "000", "ss", "05")

func checkTimeFormat(format string) *connectors.Text {
	if slices.Contains(timeWords, format) || strings.Contains(format, "YYYY") && strings.Contains(format, "hh") {
		return nil
	}
	return &connectors.Text{Zh: fmt.Sprintf("时间格式“%s”无效，可填 auto、unix、unix_ms、rfc3339 或如 YYYY-MM-DD hh:mm:ss 的样式", brief(format)),
		En: fmt.Sprintf("%q is no time format: auto, unix, unix_ms, rfc3339 or a pattern like YYYY-MM-DD hh:mm:ss", brief(format))}
}

// autoLayouts are tried for times that are no numbers.
var autoLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05.000", "2006-01-02 15:04:05", "2006/01/02 15:04:05",
	"2006-01-02 15:04", time.RFC1123Z, time.RFC1123, "2006-01-02T15:04:05.000Z0700", "2006-01-02 15:04:05-07:00"}

// parse reads a time; what is no time, and zero, is not set.
func (t profileTime) parse(format, s string) (desk.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "0") == "" || s == "null" {
		return 0, true
	}
	if format == "" {
		format = t.Format
	}
	zone := t.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch format {
	case "", "auto":
		return autoTime(s, zone)
	case "unix":
		return numericTime(s, 1000)
	case "unix_ms":
		return numericTime(s, 1)
	case "rfc3339":
		return layoutTime(s, zone, time.RFC3339Nano)
	}
	return layoutTime(s, zone, timePattern.Replace(format))
}

// autoTime tells seconds from milliseconds by their size, and knows the usual ways to write a time down.
func autoTime(s string, zone *time.Location) (desk.Time, bool) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		switch whole, _, _ := strings.Cut(s, "."); len(whole) {
		case 13:
			return numericTime(s, 1)
		case 14:
			return layoutTime(s, zone, "20060102150405")
		default:
			return numericTime(s, 1000)
		}
	}
	return layoutTime(s, zone, autoLayouts...)
}

// numericTime: unit is how many milliseconds one is.
func numericTime(s string, unit float64) (desk.Time, bool) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 || n*unit > maxTime {
		return 0, false
	}
	return desk.Time(n * unit), true
}

const maxTime = 253402300799000 // the end of the year 9999

func layoutTime(s string, zone *time.Location, layouts ...string) (desk.Time, bool) {
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil && t.Year() >= 1970 && t.Year() <= 9999 {
			return desk.At(t), true
		}
	}
	return 0, false
}

package telephony

import (
	"math"
	"strconv"
	"strings"
	"time"

	"hearback/desk"
)

// layouts are the ways call centres write times, those with a zone first.
var layouts = []string{time.RFC3339Nano, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", time.RFC1123, "2006-01-02T15:04:05.999-0700", "2006-01-02 15:04:05.999-07:00", "2006-01-02 15:04:05.999 -0700",
	"2006-01-02T15:04:05.999", "2006-01-02 15:04:05.999", "2006/01/02 15:04:05", "2006/1/2 15:04:05", "20060102150405"}

// moment reads a time: unix seconds, milliseconds or microseconds, or any of layouts; without a zone it is zone's. Zero when it is
// none, and for the zeros that call centres write for "never".
func moment(told string, zone *time.Location) desk.Time {
	told = strings.TrimSpace(told)
	if told == "" || strings.Trim(told, "0-:. TZ/+") == "" {
		return 0
	}
	if f, err := strconv.ParseFloat(told, 64); err == nil && len(told) != len("20060102150405") {
		return unix(f)
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, told, zone); err == nil {
			return desk.At(t)
		}
	}
	return 0
}

// unix tells seconds from finer units by their size: 1e11 seconds would be the year 5138.
func unix(f float64) desk.Time {
	switch {
	case math.IsNaN(f) || f < 1e8 || f > 1e17:
		return 0
	case f < 1e11:
		return desk.Time(math.Round(f * 1000))
	case f < 1e14:
		return desk.Time(f)
	}
	return desk.Time(f / 1000)
}

// wholeSeconds reads a length; nonsense is 0.
func wholeSeconds(told string) int {
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(told), "秒"), 64)
	if err != nil || f < 0 || f > 7*24*3600 {
		return 0
	}
	return int(f + 0.5)
}

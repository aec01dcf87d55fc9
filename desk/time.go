package desk

import (
	"encoding/json"
	"time"
)

// Time is a moment in UTC unix milliseconds, as stored in every _at column. Zero means "not set" and is null in JSON; any
// other value is RFC 3339 in UTC with milliseconds.
type Time int64

// At converts a time.Time; the zero time.Time becomes the zero Time.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Std converts back; the zero Time becomes the zero time.Time.
func (t Time) Std() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// String is RFC 3339 with milliseconds, or "" when not set.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.Std().Format("2006-01-02T15:04:05.000Z07:00")
}

// MarshalJSON writes null or an RFC 3339 string.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(t.String())
}

// UnmarshalJSON reads null or an RFC 3339 string.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s *time.Time
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = 0
	if s != nil {
		*t = At(*s)
	}
	return nil
}

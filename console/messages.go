package console

import (
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
)

// nextMessages is the cursor of a timeline's following page, "" when this one was not full.
func nextMessages(messages []desk.Message, forward bool, limit int) string {
	if len(messages) < limit || len(messages) == 0 {
		return ""
	}
	if forward {
		return strconv.FormatInt(messages[len(messages)-1].Seq, 10)
	}
	return strconv.FormatInt(messages[0].Seq, 10)
}

// optionalTime tells "not given" from null.
type optionalTime struct {
	Given bool
	Time  desk.Time
}

// Schema is that of a time that may be null.
func (optionalTime) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// UnmarshalJSON is called only when the member is there.
func (o *optionalTime) UnmarshalJSON(b []byte) error {
	o.Given = true
	return json.Unmarshal(b, &o.Time)
}

// MarshalJSON is the time's.
func (o optionalTime) MarshalJSON() ([]byte, error) { return json.Marshal(o.Time) }

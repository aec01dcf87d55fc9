package telephony

import (
	"hearback/desk"
)

// Decode understands one envelope: what ServeHTTP kept.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	return nil, nil
}

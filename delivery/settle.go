package delivery

import (
	"context"
	"errors"
	"time"

	"hearback/connectors"
	"hearback/desk"
	"hearback/ticketstore"
)

// backoff is the distance to the next try after so many tries; the last one repeats until the reply is given up.
var backoff = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// settlement turns a failed send into what happens next: the table of classes in one place.
func (b *Belt) settlement(err error, caps connectors.Capabilities, c ticketstore.ClaimedDelivery) ticketstore.Settlement {
	e := connectors.AsSendError(err)
	s := ticketstore.Settlement{Code: e.Code, Hint: e.Hint}
	class := e.Class
	// A connector that ran out of time without saying more cannot know whether the provider has the reply.
	if class == connectors.Transient && errors.Is(err, context.DeadlineExceeded) {
		class = connectors.Uncertain
	}
	if class == connectors.Uncertain && caps.Resendable {
		class = connectors.Transient
	}
	now := desk.At(b.o.Now())
	switch class {
	case connectors.Throttled:
		after := e.After
		if after <= 0 {
			after = time.Minute
		}
		s.State, s.NextAt, s.FreeAttempt = desk.DeliveryQueued, now.Add(after), true
		s.Hint = or(s.Hint, "Waiting for the provider.")
	case connectors.Credentials:
		s.State, s.Hint = desk.DeliveryHeld, or(s.Hint, "The provider refuses the channel's credentials; an administrator must renew them.")
	case connectors.Uncertain:
		s.State, s.Hint = desk.DeliveryUncertain, or(s.Hint, "The provider did not answer in time; the customer may have received it.")
	case connectors.Permanent:
		s.State, s.Hint = desk.DeliveryFailed, or(s.Hint, "The provider refused the reply.")
	default:
		s.State, s.NextAt = desk.DeliveryQueued, now.Add(backoff[min(max(c.Outbound.Attempt-1, 0), len(backoff)-1)])
		s.Hint = or(s.Hint, "Could not be sent yet; trying again.")
		if s.NextAt > c.GiveUpAt {
			s.State, s.NextAt = desk.DeliveryFailed, 0
			s.Hint = "Could not be sent in all the time allowed for it."
		}
	}
	return s
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

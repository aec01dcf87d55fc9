package connectors

import (
	"errors"
	"fmt"
	"time"
)

// Class says what delivery does after a failed Send.
type Class int

const (
	Transient   Class = iota // back off 5 s, 30 s, 2 min, 10 min, 1 h, up to 24 h in all
	Throttled                // wait After; no attempt is spent
	Credentials              // hold the whole channel, keep its queue
	Uncertain                // may have been sent: stop, unless Capabilities.Resendable
	Permanent                // failed; Hint tells the agent why
)

// String is the class's word in logs and the API.
func (c Class) String() string {
	return [...]string{"transient", "throttled", "credentials", "uncertain", "permanent"}[c]
}

// A SendError is a failed Send with what is to be done about it.
type SendError struct {
	Class Class
	Code  string        // The provider's code, e.g. "45015" or "550 5.1.1".
	Hint  string        // For the agent, a sentence. Never holds a secret.
	After time.Duration // For Throttled: when to try again. Zero means a minute.
	Err   error         // The cause, for the log.
}

// Error names class, code and cause.
func (e *SendError) Error() string {
	s := e.Class.String()
	if e.Code != "" {
		s += " " + e.Code
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.Err != nil {
		s += fmt.Sprintf(": %v", e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// AsSendError finds the SendError in err; one of no class is Transient.
func AsSendError(err error) *SendError {
	var e *SendError
	if errors.As(err, &e) {
		return e
	}
	return &SendError{Class: Transient, Err: err}
}

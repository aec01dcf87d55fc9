package desk

import "errors"

// Errors every floor understands. Wrap them with what was attempted: fmt.Errorf("reply: %w", desk.ErrClosed).
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict")                // somebody else was first
	ErrClosed      = errors.New("ticket is closed")        // written to after the end
	ErrInvalid     = errors.New("invalid")                 // the caller's input is wrong
	ErrForbidden   = errors.New("forbidden")               // known, but not allowed
	ErrUnavailable = errors.New("temporarily unavailable") // database full, read only or gone: nothing was kept, try again
)

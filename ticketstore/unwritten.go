package ticketstore

import "errors"

var errUnwritten = errors.New("not written yet")

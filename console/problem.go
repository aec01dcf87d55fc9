package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
	"hearback/desk"
)

// A Problem is every error the API answers with (RFC 9457, application/problem+json). Code is what programs decide by;
// Detail is a sentence for people. The members after Errors belong to single codes.
type Problem struct {
	Type   string         `json:"type" doc:"Always about:blank: code tells what happened."`
	Title  string         `json:"title" doc:"The status in words."`
	Status int            `json:"status" doc:"The HTTP status."`
	Code   string         `json:"code" doc:"What happened, for programs: invalid, not_found, conflict, ticket_closed, already_claimed, colleague_answered, window_closed, quota_used, route_closed, unavailable, …"`
	Detail string         `json:"detail" doc:"What happened and what to do, for people."`
	Errors []FieldProblem `json:"errors,omitempty" doc:"Which fields are wrong, and how."`

	Assignee   *PersonRef `json:"assignee,omitempty" doc:"already_claimed: who owns the ticket."`
	Name       string     `json:"name,omitempty" doc:"colleague_answered: who answered meanwhile."`
	SecondsAgo *int64     `json:"seconds_ago,omitempty" doc:"colleague_answered: how long ago."`
	Routes     []Route    `json:"routes,omitzero" doc:"window_closed, quota_used: the ways that are still open."`

	header http.Header
}

// A FieldProblem says what is wrong with one value. It never repeats the value: it may be a password or a customer's words.
type FieldProblem struct {
	Field   string `json:"field" doc:"Where: body.text, query.limit, …"`
	Message string `json:"message" doc:"What is wrong and what would be right."`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is for huma: Retry-After and its like.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem makes one.
func problem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// statusCodes are the codes of errors nobody named more precisely.
var statusCodes = map[int]string{
	http.StatusBadRequest: "bad_request", http.StatusUnauthorized: "unauthorized", http.StatusForbidden: "forbidden",
	http.StatusNotFound: "not_found", http.StatusMethodNotAllowed: "method_not_allowed", http.StatusRequestTimeout: "timeout",
	http.StatusConflict: "conflict", http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType: "unsupported_media_type", http.StatusUnprocessableEntity: "invalid",
	http.StatusTooManyRequests: "rate", http.StatusServiceUnavailable: "unavailable", http.StatusInternalServerError: "internal",
}

func codeOf(status int) string {
	if code, ok := statusCodes[status]; ok {
		return code
	}
	return "error"
}

// fromError is the one place where the house's errors become answers. An error nobody classed is a 500 whose text stays in
// the log.
func fromError(err error) *Problem {
	var (
		p    *Problem
		slow *auth.TooMany
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &slow):
		return later(http.StatusTooManyRequests, "rate", "Too many attempts. Wait a moment and try again.", slow.Wait)
	case errors.Is(err, auth.ErrNobody):
		return problem(http.StatusUnauthorized, "unauthorized", "Log in first.")
	case errors.Is(err, auth.ErrCredentials):
		return problem(http.StatusUnauthorized, "credentials", "E-mail address or password is wrong.")
	case errors.Is(err, desk.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "There is nothing here, or it is outside your scope.")
	case errors.Is(err, desk.ErrClosed):
		return problem(http.StatusConflict, "ticket_closed", "The ticket is closed. Reopen it or let the customer's next message open a new one.")
	case errors.Is(err, desk.ErrConflict):
		return problem(http.StatusConflict, "conflict", sentence(err, desk.ErrConflict, "Somebody else was first. Load it again."))
	case errors.Is(err, desk.ErrInvalid):
		return problem(http.StatusUnprocessableEntity, "invalid", sentence(err, desk.ErrInvalid, "The input is wrong."))
	case errors.Is(err, desk.ErrForbidden):
		return problem(http.StatusForbidden, "forbidden", "Your role does not allow this.")
	case errors.Is(err, desk.ErrUnavailable):
		return later(http.StatusServiceUnavailable, "unavailable", "The database takes no writes at the moment. Nothing was kept; try again in a moment.", 2*time.Second)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusServiceUnavailable, "unavailable", "The request took too long or was given up. Try again.")
	}
	return problem(http.StatusInternalServerError, "internal", "Something went wrong on our side; it has been logged.")
}

// later is a refusal that says when to come back.
func later(status int, code, detail string, wait time.Duration) *Problem {
	p := problem(status, code, detail)
	seconds := max(int64(math.Ceil(wait.Seconds())), 1)
	p.header = http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
	return p
}

// sentence takes what was said right before a known error: of "save team: the name is taken: conflict" the middle.
func sentence(err, known error, otherwise string) string {
	text, found := strings.CutSuffix(err.Error(), ": "+known.Error())
	if !found {
		return otherwise
	}
	text = strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
	text = strings.TrimSpace(strings.TrimPrefix(text, ":"))
	if text == "" {
		return otherwise
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

// invalid names the field, what is wrong with it and what would be right.
func invalid(field, message string) *Problem {
	p := problem(http.StatusUnprocessableEntity, "invalid", message)
	p.Errors = []FieldProblem{{Field: field, Message: message}}
	return p
}

var installErrors sync.Once

// useProblems makes huma answer with Problems. Its hooks are variables of its package, so this happens once per process.
func useProblems(logger *slog.Logger) {
	installErrors.Do(func() {
		huma.DefaultArrayNullable = false
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError { return newProblem(status, msg, errs) }
		huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
			if status == http.StatusInternalServerError && len(errs) == 1 {
				return unexpected(ctx, logger, errs[0])
			}
			return newProblem(status, msg, errs)
		}
	})
}

// unexpected answers an error that a handler returned as it came.
func unexpected(ctx huma.Context, logger *slog.Logger, err error) *Problem {
	p := fromError(err)
	if p.Status == http.StatusInternalServerError && ctx != nil {
		logger.Error("request failed", "method", ctx.Method(), "route", ctx.Operation().Path, "err", err)
	}
	if ctx != nil {
		for name, values := range p.header {
			ctx.SetHeader(name, values[0])
		}
	}
	return p
}

// newProblem turns huma's own refusals (validation, size, media type) into a Problem that names each field.
func newProblem(status int, msg string, errs []error) *Problem {
	p := problem(status, codeOf(status), msg)
	for _, err := range errs {
		if err == nil {
			continue
		}
		f := FieldProblem{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			f = FieldProblem{Field: d.ErrorDetail().Location, Message: d.ErrorDetail().Message}
		}
		p.Errors = append(p.Errors, f)
	}
	if len(p.Errors) > 0 && msg == "validation failed" {
		p.Detail = strings.TrimPrefix(fmt.Sprintf("%s: %s", p.Errors[0].Field, p.Errors[0].Message), ": ")
	}
	return p
}

// writeProblem answers a request that huma does not handle: the websocket's.
func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.header {
		w.Header().Set(name, values[0])
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // a reader who is gone needs no answer
}

// NotFound answers what no route of the API does, in the API's own words.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, problem(http.StatusNotFound, "not_found", "There is no such operation. /docs lists them all."))
}

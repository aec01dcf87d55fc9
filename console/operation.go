package console

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hearback/auth"
)

// An option changes an operation while it is declared.
type option = func(*huma.Operation)

func onOne(o *huma.Operation)     { o.Metadata[metaScope] = "ticket" }
func onMessage(o *huma.Operation) { o.Metadata[metaScope] = "message" }
func onFile(o *huma.Operation)    { o.Metadata[metaScope] = "attachment" }

// answers sets the status of success when it is not 200.
func answers(status int) option { return func(o *huma.Operation) { o.DefaultStatus = status } }

// bodyLimit lets a request be bigger than 1 MB and slower than the server's usual time.
func bodyLimit(bytes int64, within time.Duration) option {
	return func(o *huma.Operation) {
		o.Metadata[metaBody] = bytes
		o.MaxBodyBytes, o.BodyReadTimeout = bytes, within
	}
}

func get(id, path string, need auth.Permission, summary string, options ...option) huma.Operation {
	return operation(http.MethodGet, id, path, need, summary, options)
}

func post(id, path string, need auth.Permission, summary string, options ...option) huma.Operation {
	return operation(http.MethodPost, id, path, need, summary, options)
}

func patch(id, path string, need auth.Permission, summary string, options ...option) huma.Operation {
	return operation(http.MethodPatch, id, path, need, summary, options)
}

func remove(id, path string, need auth.Permission, summary string, options ...option) huma.Operation {
	return operation(http.MethodDelete, id, path, need, summary, append(options, answers(http.StatusNoContent)))
}

func operation(method, id, path string, need auth.Permission, summary string, options []option) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Metadata: map[string]any{metaPermission: string(need)},
		Security: []map[string][]string{{"session": {}}, {"bearer": {}}},
	}
	if need == public {
		o.Security = []map[string][]string{}
	}
	for _, option := range options {
		option(&o)
	}
	return o
}

// add registers a handler for an operation.
func add[I, O any](api huma.API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, handler)
}

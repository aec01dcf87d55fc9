package console

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// docsPage shows the API for reading: one page, no script, nothing loaded from anywhere.
func docsPage(api huma.API) http.HandlerFunc {
	var once sync.Once
	var view docsView
	return func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { view = describe(api.OpenAPI()) })
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		docsTemplate.Execute(w, view)
	}
}

type docsView struct {
	Title, Version, About string
	Groups                []docsGroup
	Schemas               []docsSchema
}

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct {
	Method, Path, Summary, ID, Permission string
	Parameters                            []docsField
	Request, Answer                       string
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsField struct {
	Name, Type, Note string
	Required         bool
}

// describe turns the spec into what the page shows, in the order of registration by group and path.
func describe(spec *huma.OpenAPI) docsView {
	v := docsView{Title: spec.Info.Title, Version: spec.Info.Version, About: spec.Info.Description}
	groups := map[string]int{}
	paths := make([]string, 0, len(spec.Paths))
	for p := range spec.Paths {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		for _, op := range operations(spec.Paths[p]) {
			name := "Other"
			if len(op.Tags) > 0 {
				name = op.Tags[0]
			}
			if _, ok := groups[name]; !ok {
				groups[name] = len(v.Groups)
				v.Groups = append(v.Groups, docsGroup{Name: name})
			}
			g := &v.Groups[groups[name]]
			g.Operations = append(g.Operations, describeOperation(op))
		}
	}
	v.Schemas = describeSchemas(spec.Components.Schemas.Map())
	return v
}

func operations(p *huma.PathItem) []*huma.Operation {
	var all []*huma.Operation
	for _, op := range []*huma.Operation{p.Get, p.Post, p.Put, p.Patch, p.Delete} {
		if op != nil {
			all = append(all, op)
		}
	}
	return all
}

func describeOperation(op *huma.Operation) docsOperation {
	d := docsOperation{Method: op.Method, Path: op.Path, Summary: op.Summary, ID: op.OperationID}
	d.Permission, _ = op.Metadata[metaPermission].(string)
	for _, p := range op.Parameters {
		d.Parameters = append(d.Parameters, docsField{Name: p.In + " " + p.Name, Type: typeName(p.Schema), Note: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		for kind, m := range op.RequestBody.Content {
			d.Request = kind + " " + typeName(m.Schema)
		}
	}
	for status, response := range op.Responses {
		if status == "default" {
			continue
		}
		d.Answer = status
		for _, m := range response.Content {
			d.Answer += " " + typeName(m.Schema)
		}
	}
	return d
}

func describeSchemas(all map[string]*huma.Schema) []docsSchema {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []docsSchema
	for _, name := range names {
		s := docsSchema{Name: name}
		fields := make([]string, 0, len(all[name].Properties))
		for f := range all[name].Properties {
			fields = append(fields, f)
		}
		slices.Sort(fields)
		for _, f := range fields {
			p := all[name].Properties[f]
			s.Fields = append(s.Fields, docsField{Name: f, Type: typeName(p), Note: p.Description, Required: slices.Contains(all[name].Required, f)})
		}
		out = append(out, s)
	}
	return out
}

// typeName is a schema in a few words: "[]Ticket", "string (date-time) or null".
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case len(s.AnyOf) > 0:
		return typeName(s.AnyOf[0]) + " or null"
	case s.Type == huma.TypeArray:
		return "[]" + typeName(s.Items)
	}
	name := s.Type
	if s.Format != "" {
		name += " (" + s.Format + ")"
	}
	if s.Nullable {
		name += " or null"
	}
	return name
}

var docsTemplate = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{{.Title}} API</title>
<style>
:root{color-scheme:light dark;--line:#8884}
body{font:14px/1.5 system-ui,sans-serif;margin:0 auto;padding:24px 16px;max-width:1000px}
h1{font-size:24px;margin:0}h2{font-size:18px;margin:32px 0 8px}
article{border-top:1px solid var(--line);padding:8px 0}
code,.m{font-family:ui-monospace,monospace;font-size:13px}.m{font-weight:700;display:inline-block;width:60px}
small{opacity:.75}table{border-collapse:collapse;width:100%}td{padding:2px 12px 2px 0;vertical-align:top}
</style>
<h1>{{.Title}} <small>{{.Version}}</small></h1><p>{{.About}}</p><p><a href="/openapi.json">openapi.json</a></p>
{{range .Groups}}<h2>{{.Name}}</h2>{{range .Operations}}<article id="{{.ID}}"><span class="m">{{.Method}}</span><code>{{.Path}}</code> {{.Summary}}
<div><small>needs {{.Permission}}{{if .Request}} · takes <code>{{.Request}}</code>{{end}} · answers <code>{{.Answer}}</code></small></div>
{{if .Parameters}}<table>{{range .Parameters}}<tr><td><code>{{.Name}}{{if .Required}}*{{end}}</code><td><code>{{.Type}}</code><td>{{.Note}}{{end}}</table>{{end}}
</article>{{end}}{{end}}
<h2>Shapes</h2>{{range .Schemas}}<article id="schema-{{.Name}}"><b>{{.Name}}</b>
<table>{{range .Fields}}<tr><td><code>{{.Name}}{{if .Required}}*{{end}}</code><td><code>{{.Type}}</code><td>{{.Note}}{{end}}</table></article>{{end}}
</html>`))

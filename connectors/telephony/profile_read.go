package telephony

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hearback/normalizer"
)

// A profileRecord is one record of a request: a tree of map[string]any, []any and texts, with what the request knew beside it.
// Foreign payloads have no shape of their own, so this is the one place where such a tree is right.
type profileRecord struct {
	tree  any
	query url.Values
}

var errTooDeep = fmt.Errorf("the payload is nested deeper than %d", maxProfileDepth)

// records takes a payload apart. A payload that is not what the profile says is an error.
func (p *profile) records(r *request) ([]profileRecord, error) {
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return nil, errors.New("the query of the address cannot be read")
	}
	tree, err := p.payload(query, r.Body)
	if err != nil {
		return nil, err
	}
	list := []any{tree}
	if p.Request.List != "" {
		got := tree
		if p.Request.List != "." {
			got = walkTree(tree, p.Request.List)
		}
		switch l := got.(type) {
		case []any:
			list = l
		case map[string]any: // one record where several may be
			list = []any{l}
		default:
			return nil, fmt.Errorf("there is no array of records at %q", p.Request.List)
		}
	} else if l, ok := tree.([]any); ok {
		list = l
	}
	if len(list) > maxProfileRecords {
		return nil, fmt.Errorf("%d records in one request, at most %d are taken", len(list), maxProfileRecords)
	}
	out := make([]profileRecord, len(list))
	for i, t := range list {
		out[i] = profileRecord{tree: t, query: query}
	}
	return out, nil
}

func (p *profile) payload(query url.Values, body []byte) (any, error) {
	switch p.Request.Payload {
	case "query":
		if len(query) == 0 && len(body) > 0 {
			return formTree(body)
		}
		return valuesTree(query), nil
	case "form":
		if len(body) == 0 {
			return valuesTree(query), nil
		}
		return formTree(body)
	case "xml":
		return xmlTree(body)
	}
	return jsonTree(body)
}

func formTree(body []byte) (any, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the payload is no form")
	}
	return valuesTree(values), nil
}

func valuesTree(values url.Values) any {
	out := map[string]any{}
	for k, v := range values {
		if len(v) == 1 {
			out[k] = v[0]
			continue
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		out[k] = list
	}
	return out
}

func jsonTree(body []byte) (any, error) {
	if normalizer.TooDeep(body, maxProfileDepth) {
		return nil, errTooDeep
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // ids and times are numbers of 19 digits with some; a float would change them
	var out any
	if err := d.Decode(&out); err != nil {
		return nil, errors.New("the payload is no JSON")
	}
	if d.More() {
		return nil, errors.New("there is something after the JSON")
	}
	return out, nil
}

// xmlTree reads elements and attributes as keys; an element of nothing but text is that text, repeated ones are an array. The
// root element itself is left out.
func xmlTree(body []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("the payload is in %s, only UTF-8 is read", brief(label))
	}
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, errors.New("the payload is no XML")
		}
		if start, ok := tok.(xml.StartElement); ok {
			return xmlElement(d, start, 1)
		}
	}
}

func xmlElement(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxProfileDepth {
		return nil, errTooDeep
	}
	fields := map[string]any{}
	for _, a := range start.Attr {
		fields[a.Name.Local] = a.Value
	}
	var text strings.Builder
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, errors.New("the payload is no XML")
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			child, err := xmlElement(d, tok, depth+1)
			if err != nil {
				return nil, err
			}
			addChild(fields, tok.Name.Local, child)
		case xml.CharData:
			text.Write(tok)
		case xml.EndElement:
			if len(fields) == 0 {
				return strings.TrimSpace(text.String()), nil
			}
			return fields, nil
		}
	}
}

func addChild(fields map[string]any, name string, child any) {
	switch old := fields[name].(type) {
	case nil:
		fields[name] = child
	case []any:
		fields[name] = append(old, child)
	default:
		fields[name] = []any{old, child}
	}
}

// values are what a path leads to, as texts: "a.b", "a.0.b", "a.*.b" for all elements of an array, "@query.action" for what
// stands in the address. A key with a dot in it is found when the rest of the path is exactly that key.
func (rec profileRecord) values(path string) []string {
	if name, ok := strings.CutPrefix(path, "@query."); ok {
		return rec.query[name]
	}
	var out []string
	collectTexts(walkTree(rec.tree, path), &out)
	return out
}

// value is the first that is not empty.
func (rec profileRecord) value(path string) string {
	for _, v := range rec.values(path) {
		if v != "" {
			return v
		}
	}
	return ""
}

func walkTree(tree any, path string) any {
	if path == "" {
		return tree
	}
	step, rest, _ := strings.Cut(path, ".")
	switch t := tree.(type) {
	case map[string]any:
		if v, ok := t[path]; ok {
			return v
		}
		if v, ok := t[step]; ok {
			return walkTree(v, rest)
		}
	case []any:
		if step == "*" {
			var all []any
			for _, e := range t {
				if v := walkTree(e, rest); v != nil {
					all = append(all, v)
				}
			}
			return all
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(t) {
			return walkTree(t[i], rest)
		}
	case string: // JSON inside a text, as some send their details
		if sub, err := jsonTree([]byte(t)); err == nil && strings.HasPrefix(strings.TrimSpace(t), "{") {
			return walkTree(sub, path)
		}
	}
	return nil
}

func collectTexts(v any, into *[]string) {
	switch v := v.(type) {
	case string:
		*into = append(*into, clip(v))
	case json.Number:
		*into = append(*into, plainNumber(v.String()))
	case bool:
		*into = append(*into, strconv.FormatBool(v))
	case []any:
		for _, e := range v {
			collectTexts(e, into)
		}
	}
}

// plainNumber writes 1.3800138e10 as 13800138000: telephone numbers come as JSON numbers too.
func plainNumber(s string) string {
	if !strings.ContainsAny(s, "eE") {
		return clip(s)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return clip(s)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// clip bounds a foreign value, on a character's border.
func clip(s string) string {
	if len(s) <= maxProfileValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxProfileValue], "")
}

// holds tells whether all conditions are met.
func (rec profileRecord) holds(conditions []profileCondition) bool {
	for _, c := range conditions {
		if !c.met(rec.value(c.Path)) {
			return false
		}
	}
	return true
}

func (c profileCondition) met(value string) bool {
	return slices.ContainsFunc(c.Values, func(want string) bool {
		if no, ok := strings.CutPrefix(want, "!"); ok && no != "" {
			return value != no
		}
		return want == "*" && value != "" || want == value
	})
}

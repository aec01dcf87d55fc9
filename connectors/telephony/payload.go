package telephony

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A word is a JSON value read as text whatever its type: call centres write the same number with and without quotes. Objects and
// lists give "".
type word string

// UnmarshalJSON takes strings, numbers and booleans.
func (w *word) UnmarshalJSON(b []byte) error {
	*w = ""
	switch {
	case len(b) == 0 || string(b) == "null" || b[0] == '{' || b[0] == '[':
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(w))
	default:
		*w = word(b)
	}
	return nil
}

func (w word) String() string { return strings.TrimSpace(string(w)) }

// list is one word or several.
type list []word

// UnmarshalJSON takes a list or a single value.
func (l *list) UnmarshalJSON(b []byte) error {
	*l = nil
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]word)(l))
	}
	var w word
	if err := w.UnmarshalJSON(b); err != nil {
		return err
	}
	if w != "" {
		*l = list{w}
	}
	return nil
}

// values are the parameters of a request by name; "user[]" is "user".
type values map[string][]string

// get returns the first value that is not empty of the first name that has one.
func (v values) get(names ...string) string {
	for _, n := range names {
		for _, s := range v[n] {
			if s = strings.TrimSpace(s); s != "" {
				return s
			}
		}
	}
	return ""
}

// all returns the values of a name that are not empty.
func (v values) all(name string) []string {
	var out []string
	for _, s := range v[name] {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// readValues reads the parameters of a request: a JSON object, a form of either encoding, or the query of a GET.
func readValues(r *request) (values, error) {
	kind, params, _ := mime.ParseMediaType(r.Type)
	switch {
	case r.Method == http.MethodGet:
		return formValues(r.Query)
	case kind == "multipart/form-data":
		return multipartValues(r.Body, params["boundary"])
	case kind == "application/json" || bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")):
		return jsonValues(r.Body)
	}
	return formValues(string(r.Body))
}

func jsonValues(body []byte) (values, error) {
	var object map[string]list
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, refuse(http.StatusBadRequest, "The body is no JSON object.")
	}
	v := values{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		for _, w := range object[name] {
			v.add(name, string(w))
		}
	}
	return v, nil
}

func formValues(query string) (values, error) {
	form, err := url.ParseQuery(query)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "The form cannot be read.")
	}
	v := values{}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, s := range form[name] {
			v.add(name, s)
		}
	}
	return v, nil
}

func multipartValues(body []byte, boundary string) (values, error) {
	v, parts := values{}, multipart.NewReader(bytes.NewReader(body), boundary)
	for range 200 {
		part, err := parts.NextPart()
		if err == io.EOF {
			return v, nil
		}
		if err != nil {
			break
		}
		b, err := io.ReadAll(part)
		if err != nil {
			break
		}
		v.add(part.FormName(), string(b))
	}
	return nil, refuse(http.StatusBadRequest, "The form cannot be read.")
}

// add files a value under its name; "user[]" and "user[0]" are "user". Some tools send the quotes of their own command line along.
func (v values) add(name, value string) {
	if i := strings.IndexByte(name, '['); i > 0 && strings.HasSuffix(name, "]") {
		name = name[:i]
	}
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	v[name] = append(v[name], value)
}

// clean makes text from outside fit to be kept and shown: valid UTF-8, no control characters, at most max bytes.
func clean(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}

// oneOf returns what told means in a map; "" when it is not in it. Case and separators do not count: "no-answer", "noAnswer".
func oneOf(meanings map[string]string, told string) string {
	told = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, told)
	return meanings[told]
}

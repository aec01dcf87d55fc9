package wechat

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a callback's document. Tencent's are three deep and have some twenty elements.
const (
	maxDepth    = 8
	maxElements = 512
)

var (
	errDTD   = errors.New("the document declares a type or entities")
	errDeep  = errors.New("the document is nested too deep or has too many elements")
	errShape = errors.New("the document has not the form of a callback")
)

// A document is a callback's leaves by their path below the root: "Content", "SendLocationInfo/Label". Of repeated elements the
// first counts. Values stay text, so that an id of any form and a number of any size survive.
type document map[string]string

// readDocument reads a callback in the format it is in. Mini-programs may be set to JSON.
func readDocument(raw []byte) (document, error) {
	if t := bytes.TrimLeft(raw, " \t\r\n\ufeff"); len(t) > 0 && t[0] == '{' {
		return readJSON(t)
	}
	return readXML(raw)
}

// readXML walks the tokens itself: encoding/xml fetches nothing and expands no entity of the document's own, but it would build whatever
// tree it is given.
func readXML(raw []byte) (document, error) {
	d := xml.NewDecoder(bytes.NewReader(legible(raw)))
	doc := make(document, 24)
	var path []string
	var text strings.Builder
	elements, leaf := 0, false
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read xml: %w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, errDTD
		case xml.StartElement:
			if elements++; elements > maxElements || len(path) == maxDepth {
				return nil, errDeep
			}
			if len(path) == 0 && elements > 1 {
				return nil, errShape
			}
			path, leaf = append(path, t.Name.Local), true
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if len(path) == 0 || path[len(path)-1] != t.Name.Local {
				return nil, errShape
			}
			doc.leaf(path[1:], text.String(), leaf)
			path, leaf = path[:len(path)-1], false
		}
	}
	if elements == 0 || len(path) > 0 {
		return nil, errShape
	}
	return doc, nil
}

// leaf keeps the first value of a path. Elements with children have no text of their own.
func (doc document) leaf(path []string, text string, leaf bool) {
	if !leaf || len(path) == 0 {
		return
	}
	key := strings.Join(path, "/")
	if _, ok := doc[key]; !ok {
		doc[key] = text
	}
}

// legible replaces what XML 1.0 (2.2) does not allow: customers' texts hold such characters, and Tencent passes them on as they are.
func legible(raw []byte) []byte {
	ok := utf8.Valid(raw) && bytes.IndexFunc(raw, illegal) < 0
	if ok {
		return raw
	}
	return bytes.Map(func(r rune) rune {
		if illegal(r) {
			return utf8.RuneError
		}
		return r
	}, bytes.ToValidUTF8(raw, []byte("\ufffd")))
}

func illegal(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
}

// readJSON walks an object the same way. Of lists the first element counts.
func readJSON(raw []byte) (document, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	doc := make(document, 24)
	w := jsonWalk{d: d, doc: doc}
	if err := w.value(nil); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errShape
	}
	return doc, nil
}

type jsonWalk struct {
	d        *json.Decoder
	doc      document
	elements int
}

// value reads one value at a path.
func (w *jsonWalk) value(path []string) error {
	if w.elements++; w.elements > maxElements || len(path) >= maxDepth {
		return errDeep
	}
	t, err := w.d.Token()
	if err != nil {
		return fmt.Errorf("read json: %w", err)
	}
	switch t := t.(type) {
	case json.Delim:
		return w.inside(path, t)
	case nil:
	default:
		w.doc.leaf(path, fmt.Sprint(t), true)
	}
	return nil
}

func (w *jsonWalk) inside(path []string, open json.Delim) error {
	for w.d.More() {
		next := append(path[:len(path):len(path)], "item")
		if open == '{' {
			name, err := w.d.Token()
			if err != nil {
				return fmt.Errorf("read json: %w", err)
			}
			next[len(next)-1] = fmt.Sprint(name)
		}
		if err := w.value(next); err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	if err != nil {
		return fmt.Errorf("read json: %w", err)
	}
	return nil
}

package bus

import (
	"encoding/binary"
	"errors"
)

// Kinds of entries on the wire.
const (
	kindEvents = 'e' // body: JSON array of desk.Event
	kindLine   = 'l' // name: the line's; body: what was published
	kindGap    = 'g' // hints before this one were lost
)

// An entry is one hint on its way to other nodes. Several travel in one PUBLISH, which keeps their order even in a Cluster.
type entry struct {
	kind byte
	name string
	body []byte
}

var errWire = errors.New("malformed hint")

// encode packs entries: the node's name, then per entry kind, name and body, each text with its length before it.
func encode(node string, entries []entry) []byte {
	size := len(node) + binary.MaxVarintLen64
	for _, e := range entries {
		size += len(e.name) + len(e.body) + 2*binary.MaxVarintLen64 + 1
	}
	out := appendText(make([]byte, 0, size), node)
	for _, e := range entries {
		out = append(out, e.kind)
		out = appendText(out, e.name)
		out = appendText(out, e.body)
	}
	return out
}

func appendText[T string | []byte](out []byte, s T) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// decode is the reverse of encode. Bodies point into p.
func decode(p []byte) (node string, entries []entry, err error) {
	text := func() []byte {
		n, w := binary.Uvarint(p)
		if err != nil || w <= 0 || n > uint64(len(p)-w) {
			err = errWire
			return nil
		}
		t := p[w : w+int(n)]
		p = p[w+int(n):]
		return t
	}
	node = string(text())
	for err == nil && len(p) > 0 {
		e := entry{kind: p[0]}
		p = p[1:]
		e.name = string(text())
		e.body = text()
		entries = append(entries, e)
	}
	if err != nil {
		return "", nil, err
	}
	return node, entries, nil
}

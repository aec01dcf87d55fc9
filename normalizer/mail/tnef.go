package mail

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// TNEF is what Outlook packs its attachments in when it takes the receiver for another Outlook: winmail.dat.
const (
	tnefSignature = 0x223e9f78

	tnefMessageBody  = 0x0002800c
	tnefAttachRender = 0x00069002
	tnefAttachTitle  = 0x00018010
	tnefAttachData   = 0x0006800f
	tnefAttachProps  = 0x00069005
	tnefLongFileName = 0x3707
)

func isTNEF(kind, name string) bool {
	return kind == "application/ms-tnef" || kind == "application/vnd.ms-tnef" || strings.EqualFold(name, "winmail.dat")
}

type tnefFile struct {
	name string
	data []byte
}

// unpackTNEF adds the files packed in a winmail.dat; false leaves it as an attachment itself.
func (w *walker) unpackTNEF(data []byte, c context) bool {
	files, text := readTNEF(data, w.limits.Parts)
	if len(files) == 0 && text == "" {
		return false
	}
	w.fix.add(RepairTNEF, "")
	if text != "" && len(w.bodies) == 0 {
		w.bodies = append(w.bodies, body{text: text, hasText: true})
	}
	for _, f := range files {
		kind := "application/octet-stream"
		w.files = append(w.files, &fileRef{Attachment: Attachment{Name: fileName(f.name), Type: kind, Data: f.data, Digest: sum(f.data)}, disposition: "attachment"})
	}
	return len(files) > 0
}

// readTNEF walks over the attributes: level (1), id (4), length (4), data, checksum (2), all little-endian.
func readTNEF(b []byte, max int) (files []tnefFile, text string) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		return nil, ""
	}
	b = b[6:]
	for len(b) >= 9 && len(files) <= max {
		id, size := binary.LittleEndian.Uint32(b[1:]), int64(binary.LittleEndian.Uint32(b[5:]))
		if size > int64(len(b)-9) {
			break
		}
		value := b[9 : 9+size]
		b = b[min(int64(len(b)), 9+size+2):]
		if id == tnefMessageBody {
			text, _ = decodeCharset(bytes.TrimRight(value, "\x00"), "")
			text = clean(text)
		}
		if id == tnefAttachRender {
			files = append(files, tnefFile{})
		}
		if len(files) > 0 {
			files[len(files)-1].take(id, value)
		}
	}
	return files, text
}

func (f *tnefFile) take(id uint32, value []byte) {
	switch id {
	case tnefAttachTitle:
		if f.name == "" {
			f.name, _ = decodeCharset(bytes.TrimRight(value, "\x00"), "")
		}
	case tnefAttachData:
		f.data = value
	case tnefAttachProps:
		if long := longName(value); long != "" {
			f.name = long
		}
	}
}

// longName finds the long file name among MAPI properties. Properties before it are skipped by their type's size; one of a type
// we do not know ends the search.
func longName(b []byte) string {
	if len(b) < 4 {
		return ""
	}
	count := binary.LittleEndian.Uint32(b)
	b = b[4:]
	for ; count > 0 && len(b) >= 4; count-- {
		kind, id := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		b = b[4:]
		if id >= 0x8000 {
			return ""
		}
		value, rest, ok := mapiValue(kind, b)
		if !ok {
			return ""
		}
		if id == tnefLongFileName {
			return mapiString(kind, value)
		}
		b = rest
	}
	return ""
}

func mapiValue(kind uint16, b []byte) (value, rest []byte, ok bool) {
	size := 0
	switch kind {
	case 0x0002, 0x0003, 0x0004, 0x000a, 0x000b:
		size = 4
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040:
		size = 8
	case 0x0048:
		size = 16
	case 0x000d, 0x001e, 0x001f, 0x0102:
		if len(b) < 8 {
			return nil, nil, false
		}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		padded := (n + 3) / 4 * 4
		if padded > int64(len(b)-8) {
			return nil, nil, false
		}
		return b[8 : 8+n], b[8+padded:], true
	default:
		return nil, nil, false
	}
	if len(b) < size {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

func mapiString(kind uint16, value []byte) string {
	if kind == 0x001f {
		enc, _ := encodingOf("utf-16le")
		if enc == nil {
			return ""
		}
		out, _ := enc.NewDecoder().Bytes(value)
		return strings.TrimRight(string(out), "\x00")
	}
	text, _ := decodeCharset(bytes.TrimRight(value, "\x00"), "")
	return text
}

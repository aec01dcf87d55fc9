package mail

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrOpaque tells that a mail's big files cannot be told from its text without reading it as a whole.
var ErrOpaque = errors.New("the mail can only be read as a whole")

const (
	innerHead    = 64 << 10 // what is kept of a big mail inside the mail: its header names what bounced
	textOnLine   = 16 << 20 // of a text as encoded; Limits.Text is shorter
	packedOnLine = 16 << 20 // of a winmail.dat, which is unpacked in memory
	slimLimit    = 48 << 20 // of all that stays
	headerOnLine = 2 << 20
	maxLine      = 64 << 10
)

// ParseStream is Parse for big mails: the files in it go, decoded, to put as they come, and only the rest is held in memory.
// Such an attachment has Aside (what put answered) and Size, but no Data; of a mail inside the mail Data is the beginning.
//
// An error of put ends it and is returned. ErrOpaque means that the mail is built so strangely that Parse has to see it whole;
// some of its files may have been put by then.
func ParseStream(r io.Reader, limits Limits, put func(body io.Reader) (string, error)) (*Mail, error) {
	return parseStream(r, limits, fileInMemory, put)
}

// fileInMemory is up to what size a file stays where it is.
const fileInMemory = 256 << 10

func parseStream(r io.Reader, limits Limits, small int, put func(body io.Reader) (string, error)) (*Mail, error) {
	s := &slimmer{in: bufio.NewReaderSize(r, maxLine), put: put, small: small}
	if err := s.run(); err != nil {
		return nil, err
	}
	m := Parse(s.out.Bytes(), limits)
	found := 0
	for i := range m.Attachments {
		a := &m.Attachments[i]
		data := bytes.TrimRight(a.Data, "\r\n")
		for _, f := range s.files {
			if bytes.HasSuffix(data, []byte(f.mark)) {
				a.Data, a.Aside, a.Size, a.Digest = bytes.TrimSuffix(data, []byte(f.mark)), f.name, f.size, f.digest
				found++
				break
			}
		}
	}
	if found != len(s.files) {
		return nil, ErrOpaque
	}
	for _, f := range s.files {
		if f.damaged {
			m.Repairs = append(m.Repairs, Repair{Code: RepairBase64, Detail: "base64"})
			break
		}
	}
	return m, nil
}

// A slimmer copies a mail and leaves out the bodies of big files; a mark stands for each.
type slimmer struct {
	in    *bufio.Reader
	put   func(io.Reader) (string, error)
	small int
	out   bytes.Buffer
	open  []string // boundaries of the containers we are in, the outermost first
	files []slimFile

	hold   []byte // the line end before what comes next: it may belong to a delimiter
	within bool   // in the middle of a long line
	ended  bool
	delim  []byte // the delimiter line the body ended at
	level  int    // whose delimiter it is
	last   bool   // and whether it is the container's last
}

type slimFile struct {
	mark, name, digest string
	size               int64
	damaged            bool
}

// run goes through the mail once.
func (s *slimmer) run() error {
	if err := s.entity(); err != nil {
		return err
	}
	for s.delim != nil {
		s.write(s.hold)
		s.write(s.delim)
		s.hold, s.delim = s.hold[:0], nil
		s.open = s.open[:s.level+1]
		var err error
		if s.last {
			s.open = s.open[:s.level]
			err = s.keep(textOnLine) // what follows a container is shown to nobody
		} else {
			err = s.entity()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *slimmer) write(b []byte) { s.out.Write(b) }

// entity copies a header and then what it announces.
func (s *slimmer) entity() error {
	head, err := s.header()
	if err != nil || s.delim != nil || s.ended {
		return err
	}
	var ignored repairs
	h, _ := splitHeader(mendLineEnds(head, &ignored), Limits{}.withDefaults(), &ignored)
	raw, _ := h.raw("Content-Type")
	media := parseMedia(&h, raw)
	rawDisposition, _ := h.raw("Content-Disposition")
	disposition := parseMedia(&h, rawDisposition)
	transfer, _ := h.raw("Content-Transfer-Encoding")
	transfer = strings.ToLower(strings.Trim(stripComments(transfer), " \t\"';"))
	name := fileName(disposition.params["filename"], media.params["name"])
	switch {
	case media.major() == "multipart" && media.params["boundary"] != "":
		if transfer == "base64" {
			return ErrOpaque
		}
		s.open = append(s.open, media.params["boundary"])
		if len(s.open) > 100 {
			return ErrOpaque
		}
		return s.keep(textOnLine)
	case media.major() == "multipart":
		return s.keep(slimLimit)
	case isTNEF(media.value, name):
		return s.file(media.value, transfer, packedOnLine)
	case media.major() == "text" || media.value == "" || media.value == "html":
		if disposition.value != "attachment" && (name == "" || len(s.open) == 0) {
			return s.keep(textOnLine)
		}
	}
	return s.file(media.value, transfer, s.small)
}

// header copies up to the empty line. A part that begins with text has none, and one may end before its body.
func (s *slimmer) header() (head []byte, err error) {
	begun := len(s.open) > 0 // empty lines before the first header are nothing
	for first := true; ; first = false {
		line, start, err := s.line()
		if err != nil || line == nil {
			return head, err
		}
		if head = append(head, line...); len(head) > headerOnLine {
			return nil, ErrOpaque
		}
		s.write(line)
		text := bytes.TrimSpace(line)
		begun = begun || len(text) > 0
		if begun && start && len(text) == 0 || first && len(s.open) > 0 && !isFieldLine(line) {
			return head, nil
		}
	}
}

// keep copies a body as it is, at most max bytes of it.
func (s *slimmer) keep(max int) error {
	for n := 0; ; {
		piece, more, err := s.next(nil)
		if err != nil || !more {
			return err
		}
		if n += len(piece); n <= max {
			s.write(piece)
		}
		if s.out.Len() > slimLimit {
			return ErrOpaque
		}
	}
}

// file copies a body that is a file when it is small, else sends it to put.
func (s *slimmer) file(kind, transfer string, small int) error {
	var beginning []byte
	for more := true; len(beginning) <= small; {
		var err error
		if beginning, more, err = s.next(beginning); err != nil {
			return err
		}
		if !more {
			s.write(beginning)
			if s.out.Len() > slimLimit {
				return ErrOpaque
			}
			return nil
		}
	}
	return s.aside(kind, transfer, beginning)
}

// aside sends a body that has begun so to put and writes its mark.
func (s *slimmer) aside(kind, transfer string, beginning []byte) error {
	d := &fileReader{s: s, raw: beginning, transfer: transfer}
	switch transfer {
	case "base64", "quoted-printable", "", "7bit", "8bit", "binary":
	default:
		return ErrOpaque
	}
	sum := sha256.New()
	d.sum = sum
	name, err := s.put(d)
	switch {
	case d.err != nil && d.err != io.EOF:
		return d.err
	case err != nil:
		return fmt.Errorf("keep file: %w", err)
	case d.err == nil:
		return fmt.Errorf("keep file: %w", io.ErrUnexpectedEOF) // put did not read to the end
	}
	f := slimFile{mark: fmt.Sprintf("file-kept-aside-%d-%d", len(s.files), d.size), name: name, size: d.size, digest: hex.EncodeToString(sum.Sum(nil)), damaged: d.base64.broken}
	s.files = append(s.files, f)
	switch {
	case transfer == "base64":
		s.write([]byte(base64.StdEncoding.EncodeToString([]byte(f.mark))))
	case strings.HasPrefix(kind, "message/"):
		head := beginning[:min(len(beginning), innerHead)]
		s.write(head[:bytes.LastIndexByte(head, '\n')+1])
		s.write([]byte(f.mark))
	default:
		s.write([]byte(f.mark))
	}
	return nil
}

// line gives the next line as it is, or a piece of a long one; start tells that a line begins with it. nil: here is a delimiter, or
// the mail's end.
func (s *slimmer) line() (line []byte, start bool, err error) {
	if s.ended || s.delim != nil {
		return nil, false, nil
	}
	start = !s.within
	line, err = s.in.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		s.ended = true
		return nil, false, nil
	case err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull):
		return nil, false, fmt.Errorf("read mail: %w", err)
	}
	s.within = errors.Is(err, bufio.ErrBufferFull)
	if start && !s.within && s.isDelimiter(line) {
		s.delim = bytes.Clone(line)
		return nil, false, nil
	}
	return line, start, nil
}

// next appends what follows in the body we are in: a line or a piece of one without its end, before it the end of the line before.
// The end before a delimiter belongs to the delimiter. more is false where the body ends.
func (s *slimmer) next(to []byte) (out []byte, more bool, err error) {
	line, _, err := s.line()
	if err != nil {
		return to, false, err
	}
	if line == nil {
		if more = s.ended && len(s.hold) > 0; more {
			to, s.hold = append(to, s.hold...), s.hold[:0]
		}
		return to, more, nil
	}
	text := line
	if !s.within {
		text = trimLineEnd(line)
	}
	to = append(append(to, s.hold...), text...)
	s.hold = append(s.hold[:0], line[len(text):]...)
	return to, true, nil
}

func (s *slimmer) isDelimiter(line []byte) bool {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return false
	}
	for i, boundary := range s.open {
		if rest, ok := bytes.CutPrefix(line[2:], []byte(boundary)); ok {
			if end, ok := delimiterEnd(rest); ok {
				s.level, s.last = i, end
				return true
			}
		}
	}
	return false
}

// A fileReader gives the decoded bytes of the body the slimmer is in.
type fileReader struct {
	s        *slimmer
	transfer string
	raw      []byte // not decoded yet
	ready    []byte // decoded
	base64   base64Decoder
	size     int64
	sum      io.Writer
	err      error
}

// Read decodes piece by piece.
func (d *fileReader) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.more()
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	d.size += int64(n)
	d.sum.Write(p[:n])
	return n, nil
}

// more decodes what is there and reads on.
func (d *fileReader) more() {
	raw, ended := d.raw, false
	d.raw = nil
	for len(raw) < 32<<10 && !ended {
		var more bool
		var err error
		if raw, more, err = d.s.next(raw); err != nil {
			d.err = err
			return
		}
		ended = !more
	}
	switch d.transfer {
	case "base64":
		d.ready = d.base64.decode(nil, raw)
		if ended {
			d.ready, _ = d.base64.end(d.ready)
		}
	case "quoted-printable":
		whole := len(raw)
		if !ended {
			whole = bytes.LastIndexByte(raw, '\n') + 1
		}
		if whole == 0 && len(raw) > maxLine*4 {
			d.err = ErrOpaque
			return
		}
		d.ready, d.raw = decodeQuotedPrintable(raw[:whole]), raw[whole:]
	default:
		d.ready = raw
	}
	if ended {
		d.err = io.EOF
	}
}

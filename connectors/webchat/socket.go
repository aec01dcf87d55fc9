package webchat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"hearback/normalizer"
)

const (
	protocol    = "hearback.v1"
	tokenPrefix = "token."
	maxBad      = 20       // bad frames before the socket is closed
	maxChatter  = 30       // frames other than messages per second
	maxDrain    = 16 << 20 // bytes read away after a frame that was too big, so that its sender sees our close
)

// A socket is one open window of a visitor.
type socket struct {
	channel *Channel
	conn    *websocket.Conn
	wire    *corkConn
	v       *visitor
	who     *visitorToken
	seen    atomic.Int64 // unix seconds of the last sign of life
	slot    uint8

	mu       sync.Mutex
	queue    []frame
	last     int64 // the highest seq queued or sent
	want     int64 // the highest seq heard of while catching
	ready    bool  // hello was said
	catching bool  // behind: the log is read, live events only raise want
	paused   bool  // hello is not yet decided where to begin
	writing  bool  // a writer is at it
	held     bool  // the reader will write by itself in a moment
	closing  bool

	// Only the reader uses these.
	page, language string
	bad            int
	second         int64
	chatter        int
	typingAt       time.Time
}

// clientFrame is any frame of a client.
type clientFrame struct {
	Type string `json:"type"`
	submission
	After   int64  `json:"after"`
	Seq     int64  `json:"seq"`
	On      bool   `json:"on"`
	Preview string `json:"preview"`
}

var (
	upgradeBuffers = &sync.Pool{}
	readBuffers    = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// serveSocket upgrades and lets the reader run on: the handler returns, and with it goes what net/http held.
func (c *Channel) serveSocket(w http.ResponseWriter, r *http.Request) {
	who, ref := c.tokenOf(socketToken(r))
	if ref != nil {
		writeProblem(w, ref)
		return
	}
	v := c.hub.join(who.Visitor)
	if v == nil {
		writeProblem(w, &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "This node is stopping.", after: time.Second})
		return
	}
	if v.crowded() {
		c.hub.leave(v, c.now())
		writeProblem(w, refuse(http.StatusTooManyRequests, "rate", "Too many windows of this visitor are open."))
		return
	}
	up := websocket.Upgrader{
		ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: upgradeBuffers, Subprotocols: []string{protocol},
		CheckOrigin: func(*http.Request) bool { return true }, // checked for every request in ServeHTTP
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			writeProblem(w, refuse(status, "bad_frame", "This address speaks websocket, version 13."))
		},
	}
	h := &hijacker{ResponseWriter: w}
	conn, err := up.Upgrade(h, r, nil)
	if err != nil {
		c.hub.leave(v, c.now())
		return
	}
	s := &socket{channel: c, conn: conn, wire: h.conn, v: v, who: who}
	s.touch()
	go s.serve()
}

// socketToken finds the visitor's token among the subprotocols: browsers can set no header on a websocket.
func socketToken(r *http.Request) string {
	for _, p := range websocket.Subprotocols(r) {
		if t, ok := strings.CutPrefix(p, tokenPrefix); ok {
			return t
		}
	}
	return ""
}

func (v *visitor) crowded() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.sockets) >= maxWindows
}

func (s *socket) touch() { s.seen.Store(s.channel.now().Unix()) }

// serve reads until the socket ends, then clears away.
func (s *socket) serve() {
	c := s.channel
	defer func() { c.hub.leave(s.v, c.now()) }()
	defer s.conn.Close()
	if !c.hub.add(s) {
		s.v.drop(s)
		s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeRestart, "restart"), time.Time{})
		return
	}
	defer c.hub.remove(s)
	defer s.v.drop(s)
	defer func() {
		if p := recover(); p != nil {
			c.tools.Logger.Error("a visitor's socket panicked", "err", p, "stack", string(debug.Stack()))
		}
	}()
	s.conn.SetReadLimit(maxFrame)
	s.conn.SetPingHandler(func(data string) error {
		s.touch()
		s.push(frame{framePong, []byte(data)})
		return nil
	})
	s.conn.SetPongHandler(func(data string) error {
		s.touch()
		s.arrived(data)
		return nil
	})
	for s.readFrame() {
	}
}

// readFrame takes one frame; false when the socket is at its end.
func (s *socket) readFrame() bool {
	kind, r, err := s.conn.NextReader()
	if err == nil && kind == websocket.TextMessage {
		buf := readBuffers.Get().(*bytes.Buffer)
		if _, err = buf.ReadFrom(r); err == nil {
			s.touch()
			s.handle(buf.Bytes())
		}
		buf.Reset()
		readBuffers.Put(buf)
	} else if err == nil {
		s.shut(websocket.CloseUnsupportedData, "text frames only")
		_, err = io.Copy(io.Discard, r)
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		s.drain()
	}
	return err == nil
}

// drain reads away what is left of a frame that was too big. gorilla has sent close 1009; closing with unread bytes would
// reset the connection, and the sender might never see why.
func (s *socket) drain() {
	if tcp, ok := s.wire.Conn.(*net.TCPConn); ok {
		tcp.CloseWrite()
	}
	s.wire.Conn.SetReadDeadline(time.Now().Add(goodbye))
	io.CopyN(io.Discard, s.wire.Conn, maxDrain)
}

// arrived reads the answer to the ping that follows each reply: everything up to its seq is on the visitor's screen.
func (s *socket) arrived(data string) {
	if rest, ok := strings.CutPrefix(data, "d"); ok {
		if seq, err := strconv.ParseInt(rest, 10, 64); err == nil {
			s.channel.acknowledge(s.v, s.clamp(seq), 0)
		}
	}
}

// clamp bounds a client's claim by what it was sent.
func (s *socket) clamp(seq int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(seq, s.last)
}

// handle does what a frame asks for. Whatever is wrong with it gets an answer and changes nothing.
func (s *socket) handle(data []byte) {
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return
	}
	var f clientFrame
	if !utf8.Valid(data) || normalizer.TooDeep(data, maxDepth) {
		s.refuse(refuse(0, "bad_frame", "This is not JSON as described in docs/websocket.md."), "")
		return
	}
	if err := json.Unmarshal(data, &f); err != nil {
		s.refuse(refuse(0, "bad_frame", "This is not JSON as described in docs/websocket.md."), f.ClientID)
		return
	}
	if f.Type == "message" {
		s.message(&f)
		return
	}
	if s.chatty() {
		s.refuse(&refusal{code: "rate", detail: "Too many frames.", after: time.Second}, "")
		return
	}
	switch f.Type {
	case "hello":
		s.hello(&f)
	case "typing":
		s.typing(&f)
	case "read":
		s.channel.acknowledge(s.v, 0, s.clamp(f.Seq))
	case "ping":
		s.push(frame{frameText, []byte(`{"type":"pong"}`)})
	default:
		s.refuse(refuse(0, "bad_frame", "There is no frame of this type."), "")
	}
}

// chatty counts frames that are no messages.
func (s *socket) chatty() bool {
	if now := s.channel.now().Unix(); now != s.second {
		s.second, s.chatter = now, 0
	}
	s.chatter++
	return s.chatter > maxChatter
}

// message takes a message in and answers once it is durable: event and acknowledgement leave together.
func (s *socket) message(f *clientFrame) {
	c := s.channel
	if f.Page == "" {
		f.Page = s.page
	}
	if f.Language == "" {
		f.Language = s.language
	}
	t, r := c.submit(c.ctx, s.who, &f.submission)
	if r != nil {
		s.refuse(r, f.ClientID)
		return
	}
	s.hold()
	defer s.release()
	if !t.again {
		c.show(s.v.id, t.event)
	}
	ack := make([]byte, 0, 160)
	ack = append(ack, `{"type":"ack","client_msg_id":"`...)
	ack = append(ack, f.ClientID...) // checked: needs no escaping
	ack = append(ack, `","id":"`...)
	ack = append(ack, t.id...)
	ack = append(ack, `","seq":`...)
	ack = strconv.AppendInt(ack, t.seq, 10)
	s.push(frame{frameText, append(ack, '}')})
}

// refuse answers with an error frame. Who sends nothing but nonsense is shown the door.
func (s *socket) refuse(r *refusal, clientID string) {
	b, _ := json.Marshal(struct {
		Type       string `json:"type"`
		Code       string `json:"code"`
		ClientID   string `json:"client_msg_id,omitempty"`
		Detail     string `json:"detail"`
		RetryAfter int    `json:"retry_after,omitempty"`
	}{"error", r.code, cut(clientID, 64), r.detail, seconds(r.after)})
	s.push(frame{frameText, b})
	if r.code == "bad_frame" {
		if s.bad++; s.bad > maxBad {
			s.shut(websocket.ClosePolicyViolation, "too many bad frames")
		}
	}
}

// typing passes on that the visitor types, at most once a second.
func (s *socket) typing(f *clientFrame) {
	now := s.channel.now()
	if f.On && now.Sub(s.typingAt) < time.Second {
		return
	}
	s.typingAt = now
	s.channel.signal("typing", s.v.id, map[string]string{"on": strconv.FormatBool(f.On)})
	if f.Preview != "" {
		s.channel.signal("preview", s.v.id, map[string]string{"text": cut(f.Preview, 500)})
	}
}

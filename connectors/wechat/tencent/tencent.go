package tencent

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Kind is the line of business an account belongs to.
type Kind string

const (
	Official    Kind = "official"    // 公众号, 服务号
	MiniProgram Kind = "miniprogram" // 小程序
	KF          Kind = "kf"          // 微信客服
)

// An Account is one account at Tencent, with the same words the channel is set up with.
type Account struct {
	Kind      Kind
	AppID     string // corp id for KF
	Secret    string
	Token     string
	AESKey    string // 43 characters; needed for compatible and safe mode and for KF
	Mode      string // plain, compatible, safe; KF is always safe
	JSON      bool   // mini-programs may choose JSON for their callbacks
	Original  string // ToUserName of callbacks, gh_…; made when empty
	OpenKfID  string // KF only
	Callback  string // address of the channel, http://…/c/<id>
	Templates []string
	Whitelist []string // addresses that may fetch tokens; empty: all
	DailyCap  int      // sends a day before 45009; 0: no cap
	PageSize  int      // KF: at most so many messages per sync_msg whatever is asked; 0: what is asked
	Windows   Windows  // zero: Tencent's own
}

// Windows are the times in which, and how often, a customer may be written to.
type Windows struct {
	Message Allowance // after a message, 48 h / 5
	Tap     Allowance // after a tap on the menu, a scan or subscribing, 1 min / 3; entering a mini-program's chat 1 min / 2
}

// An Allowance is a time and a count.
type Allowance struct {
	For   time.Duration
	Count int
}

// Options is what a stand-in is made of.
type Options struct {
	Accounts []Account
	Now      func() time.Time // nil: time.Now
	Client   *http.Client     // for callbacks; nil: an own one
	// CutAfter is when a callback without an answer is cut; 0: 5 s. Pause is between the deliveries of one message; 0: none.
	CutAfter time.Duration
	Pause    time.Duration
	// SameNonce makes a repeated callback equal to the first in every byte; else it is signed anew.
	SameNonce bool
}

// Tencent is the stand-in. It is safe for concurrent use.
type Tencent struct {
	o      Options
	client *http.Client
	mux    *http.ServeMux

	mu        sync.Mutex
	accounts  []*account
	tokens    map[string]*token
	media     map[string]*medium
	held      int // bytes of all media ever sent or uploaded
	faults    map[string][]*Fault
	calls     []Call
	callbacks []Delivered
	news      chan struct{} // closed and replaced at every change
	lastID    int64
}

// An account with what happened to it.
type account struct {
	Account
	customers map[string]*Customer
	order     []*Customer
	sends     int       // of today
	day       time.Time // that today
	kf        kfLog
}

// New makes a stand-in. Accounts that cannot work (a key of the wrong length) are reported.
func New(o Options) (*Tencent, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CutAfter == 0 {
		o.CutAfter = 5 * time.Second
	}
	t := &Tencent{o: o, client: o.Client, tokens: map[string]*token{}, media: map[string]*medium{}, faults: map[string][]*Fault{},
		news: make(chan struct{}), lastID: time.Now().UnixNano()}
	if t.client == nil {
		t.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	}
	t.mux = t.routes()
	for _, a := range o.Accounts {
		if err := t.Open(a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Open adds an account, or replaces the settings of the one with the same app id (and, for KF, the same open_kfid).
func (t *Tencent) Open(a Account) error {
	if a.Kind == KF {
		a.Mode = "safe"
	}
	if a.Mode != "plain" && a.Mode != "" {
		if _, err := aesKey(a.AESKey); err != nil {
			return fmt.Errorf("open account %s: %w", a.AppID, err)
		}
	}
	if a.Original == "" {
		a.Original = "gh_" + sign(a.AppID)[:12]
	}
	a.Windows = a.Windows.orTencents(a.Kind)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, old := range t.accounts {
		if old.AppID == a.AppID && old.OpenKfID == a.OpenKfID {
			old.Account = a
			return nil
		}
	}
	t.accounts = append(t.accounts, &account{Account: a, customers: map[string]*Customer{}})
	return nil
}

func (w Windows) orTencents(kind Kind) Windows {
	if w.Message.For == 0 {
		w.Message = Allowance{48 * time.Hour, 5}
	}
	if w.Tap.For == 0 {
		w.Tap = Allowance{time.Minute, 3}
		if kind == MiniProgram {
			w.Tap.Count = 2
		}
	}
	return w
}

// find returns the account of an app id, the first one of a corp with several.
func (t *Tencent) find(appid string) *account {
	for _, a := range t.accounts {
		if a.AppID == appid {
			return a
		}
	}
	return nil
}

// changed wakes everybody who waits. t.mu is held.
func (t *Tencent) changed() {
	close(t.news)
	t.news = make(chan struct{})
}

// nextID makes a number that was never used before. t.mu is held.
func (t *Tencent) nextID() int64 {
	t.lastID++
	return t.lastID
}

// now is the injected time.
func (t *Tencent) now() time.Time { return t.o.Now() }

package tencent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// maxKept is how large a picture may be to be kept over a restart: the file is for a demo's conversations, not an archive.
const maxKept = 512 << 10

// A keptCustomer is what Save writes of one person.
type keptCustomer struct {
	AppID      string    `json:"app_id"`
	OpenKfID   string    `json:"open_kfid,omitempty"`
	OpenID     string    `json:"openid"`
	Nickname   string    `json:"nickname"`
	Subscribed bool      `json:"subscribed"`
	Touched    time.Time `json:"touched"`
	Until      time.Time `json:"until"` // of the rights a message gave
	Left       int       `json:"left"`
	State      int       `json:"state"`
	Inbox      []Shown   `json:"inbox"`
}

// A keptMedium is a file that may not have been fetched yet.
type keptMedium struct {
	ID    string    `json:"id"`
	AppID string    `json:"app_id"`
	Class string    `json:"class"`
	Name  string    `json:"name"`
	Data  []byte    `json:"data"`
	Until time.Time `json:"until"`
}

type kept struct {
	Customers []keptCustomer `json:"customers"`
	Media     []keptMedium   `json:"media"`
}

// Save writes customers, their phones and small files, so that a demo goes on after a restart. The file is replaced as a whole.
// Tokens and kf logs are not kept: a channel copes with their loss.
func (t *Tencent) Save(path string) error {
	b, err := json.Marshal(t.snapshot())
	if err != nil {
		return fmt.Errorf("save phones: %w", err)
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return fmt.Errorf("save phones: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("save phones: %w", err)
	}
	return nil
}

func (t *Tencent) snapshot() (out kept) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, acc := range t.accounts {
		for _, c := range acc.order {
			k := keptCustomer{AppID: acc.AppID, OpenKfID: acc.OpenKfID, OpenID: c.OpenID, Nickname: c.Nickname, Subscribed: c.subscribed, Touched: c.touched,
				Until: c.rights.message.until, Left: c.rights.message.left, State: c.state}
			for _, s := range c.inbox[max(0, len(c.inbox)-maxLines):] {
				if len(s.Data) > maxKept {
					s.Data = nil
				}
				k.Inbox = append(k.Inbox, s)
			}
			out.Customers = append(out.Customers, k)
		}
	}
	for _, m := range t.media {
		if len(m.data) <= maxKept && t.now().Before(m.until) {
			out.Media = append(out.Media, keptMedium{m.id, m.acc.AppID, m.class, m.name, m.data, m.until})
		}
	}
	return out
}

// Load reads what Save wrote, for the accounts that are open. A file that is not there is no error.
func (t *Tencent) Load(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var in kept
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if err != nil {
		return fmt.Errorf("load phones: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range in.Customers {
		for _, acc := range t.accounts {
			if acc.AppID != k.AppID || acc.OpenKfID != k.OpenKfID {
				continue
			}
			c := t.customer(acc, k.OpenID)
			c.Nickname, c.subscribed, c.touched, c.state, c.inbox = k.Nickname, k.Subscribed, k.Touched, k.State, k.Inbox
			c.rights.message = right{k.Until, k.Left}
		}
	}
	for _, k := range in.Media {
		if acc := t.find(k.AppID); acc != nil {
			t.media[k.ID] = &medium{k.ID, acc, k.Class, k.Name, typeOf(k.Class, k.Data), k.Data, k.Until}
			t.held += len(k.Data)
		}
	}
	t.changed()
	return nil
}

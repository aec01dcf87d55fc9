package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// ErrCredentials tells that a log-in was refused. It does not tell whether the account exists.
var ErrCredentials = errors.New("e-mail or password is wrong")

// A TooMany tells that attempts came too fast.
type TooMany struct{ Wait time.Duration }

func (e *TooMany) Error() string {
	return fmt.Sprintf("too many attempts: try again in %s", e.Wait.Round(time.Second))
}

// How fast passwords may be tried, per minute and at once: for one account from one address, and for one address in all (an
// office behind one address logs in at nine).
const (
	accountRate, accountBurst = 6, 10
	addressRate, addressBurst = 120, 300
)

// How long a session lives: since it was last used, and in all.
const (
	idle     = 12 * time.Hour
	lifetime = 30 * 24 * time.Hour
)

// A Login is a new session. Secret goes into the cookie and nowhere else.
type Login struct {
	Principal Principal
	Secret    string
}

// LogIn opens a session. Refused: ErrCredentials, or *TooMany when attempts come too fast. address is the client's, as the
// reverse proxies that are trusted tell it.
func (a *Auth) LogIn(ctx context.Context, email, password, userAgent, address string) (Login, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if err := a.limit(ctx, "login:"+digest(email+"\n"+network(address)), accountRate, accountBurst); err != nil {
		return Login{}, err
	}
	if err := a.limit(ctx, "login:"+network(address), addressRate, addressBurst); err != nil {
		return Login{}, err
	}
	agent, hash, mustChange, err := a.store.AgentByEmail(ctx, email)
	if err != nil && !errors.Is(err, desk.ErrNotFound) {
		return Login{}, fmt.Errorf("log in: %w", err)
	}
	right, err := a.hasher.verify(ctx, password, hash)
	if err != nil {
		return Login{}, fmt.Errorf("log in: %w", err)
	}
	if !right || agent.ID == "" || agent.Disabled {
		return Login{}, ErrCredentials
	}
	a.renew(ctx, agent.ID, password, hash, mustChange)
	return a.open(ctx, agent, mustChange, userAgent, address)
}

func (a *Auth) limit(ctx context.Context, key string, perMinute, burst int) error {
	ok, wait, err := a.limiter.Allow(ctx, key, perMinute, burst)
	if err != nil {
		return fmt.Errorf("limit attempts: %w", err)
	}
	if !ok {
		return &TooMany{Wait: wait}
	}
	return nil
}

// renew hashes again at today's cost. A failure is not the caller's concern.
func (a *Auth) renew(ctx context.Context, agent desk.ID, password, hash string, mustChange bool) {
	if !outdated(hash) {
		return
	}
	renewed, err := a.hasher.hash(ctx, password)
	if err == nil {
		err = a.store.SetPassword(ctx, agent, renewed, mustChange)
	}
	if err != nil {
		a.logger.Warn("password hash was not renewed", "agent", agent, "err", err)
	}
}

func (a *Auth) open(ctx context.Context, agent desk.Agent, mustChange bool, userAgent, address string) (Login, error) {
	secret := newSecret()
	s, err := a.store.CreateSession(ctx, ticketstore.Session{
		AgentID: agent.ID, UserAgent: cut(userAgent, 300), Address: cut(address, 100), ExpiresAt: a.now().Add(idle),
	}, digest(secret))
	if err != nil {
		return Login{}, fmt.Errorf("log in: %w", err)
	}
	return Login{Principal: Principal{Agent: agent, SessionID: s.ID, MustChange: mustChange}, Secret: secret}, nil
}

func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// network is what one customer of a provider has: an IPv4 address, or an IPv6 /64.
func network(address string) string {
	ap, err := netip.ParseAddrPort(address)
	addr := ap.Addr()
	if err != nil {
		if addr, err = netip.ParseAddr(address); err != nil {
			return "unknown"
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}

// LogOut ends a session; one that has ended already is no error.
func (a *Auth) LogOut(ctx context.Context, agent, session desk.ID) error {
	if err := a.store.RevokeSession(ctx, agent, session); err != nil && !errors.Is(err, desk.ErrNotFound) {
		return err
	}
	return nil
}

// LogOutOthers ends every session of an agent but one ("": all) and returns which.
func (a *Auth) LogOutOthers(ctx context.Context, agent, except desk.ID) ([]desk.ID, error) {
	return a.store.RevokeSessions(ctx, agent, except)
}

// ChangePassword sets an agent's own password and ends his other sessions. desk.ErrInvalid, whose text may be shown, says what
// is wrong with the old or the new one; *TooMany that attempts came too fast.
func (a *Auth) ChangePassword(ctx context.Context, agent, session desk.ID, old, new string) error {
	if err := a.limit(ctx, "password:"+agent, accountRate, accountBurst); err != nil {
		return err
	}
	who, err := a.store.Agent(ctx, agent)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	hash, _, err := a.store.Credentials(ctx, agent)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	right, err := a.hasher.verify(ctx, old, hash)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if !right {
		return fmt.Errorf("the old password is wrong: %w", desk.ErrInvalid)
	}
	if err := judge(new, who.Email); err != nil {
		return err
	}
	if new == old {
		return fmt.Errorf("the new password is the old one: %w", desk.ErrInvalid)
	}
	return a.setPassword(ctx, agent, session, new, false)
}

// SetPassword sets somebody's password by an admin's hand: all his sessions end, and with mustChange he chooses another at his
// next log-in.
func (a *Auth) SetPassword(ctx context.Context, agent desk.ID, password string, mustChange bool) error {
	who, err := a.store.Agent(ctx, agent)
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	if err := judge(password, who.Email); err != nil {
		return err
	}
	return a.setPassword(ctx, agent, "", password, mustChange)
}

func (a *Auth) setPassword(ctx context.Context, agent, keep desk.ID, password string, mustChange bool) error {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		err = a.store.SetPassword(ctx, agent, hash, mustChange)
	}
	if err == nil {
		_, err = a.store.RevokeSessions(ctx, agent, keep)
	}
	a.Forget(agent)
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
}

package customer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"hearback/connectors"
	"hearback/customer"
	"hearback/desk"
	"hearback/ticketstore"
	"hearback/ticketstore/storetest"
)

const channel = "0190a000-0000-7000-8000-00000000000c"

// phone is a channel that keeps what it was given to send.
type phone struct {
	mu   sync.Mutex
	sent []desk.Outbound
	fail error
	came chan struct{}
}

func (p *phone) Get(desk.ID) (connectors.Connector, desk.Channel, bool) {
	return p, desk.Channel{}, true
}
func (p *phone) Capabilities() connectors.Capabilities { return connectors.Capabilities{} }
func (p *phone) Close() error                          { return nil }
func (p *phone) Send(_ context.Context, o desk.Outbound) (connectors.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, o)
	p.came <- struct{}{}
	return connectors.Receipt{}, p.fail
}

type room struct {
	*customer.Answers
	t     *testing.T
	store *ticketstore.Store
	phone *phone
	wrote chan struct{}
	n     int
}

func onEach(t *testing.T, test func(t *testing.T, r *room)) {
	for name, open := range map[string]func(testing.TB) *ticketstore.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			r := &room{t: t, store: open(t), phone: &phone{came: make(chan struct{}, 100)}, wrote: make(chan struct{}, 100)}
			r.Answers = customer.New(customer.Options{Store: r.store, Fleet: r.phone, Logger: slog.New(slog.DiscardHandler), Zone: time.UTC,
				Sent: func() { r.wrote <- struct{}{} }})
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() { defer close(ended); r.Run(ctx) }()
			t.Cleanup(func() { cancel(); <-ended })
			test(t, r)
		})
	}
}

func identity(sender string) desk.Identity {
	return desk.Identity{Type: "wechat_openid", Value: sender, Scope: channel, Verified: true}
}

// write opens a ticket of a customer on a conversation.
func (r *room) write(sender, conversation, text string) desk.Ticket {
	r.t.Helper()
	r.n++
	e := &ticketstore.Arrival{ChannelID: channel, Envelopes: []desk.Envelope{{ChannelID: channel, Kind: "wechat", Type: desk.EnvelopeMessage,
		ExternalID: fmt.Sprint("m", r.n), Sender: conversation, Raw: []byte(text)}}}
	if err := r.store.PutInbox(r.t.Context(), []*ticketstore.Arrival{e}, desk.At(time.Now().Add(time.Hour))); err != nil {
		r.t.Fatal(err)
	}
	filed, err := r.store.File(r.t.Context(), []ticketstore.Filing{{Envelope: e.Envelopes[0], Plans: []ticketstore.Plan{{}},
		Inbounds: []desk.Inbound{{Type: desk.EnvelopeMessage, From: identity(sender), Text: text, Name: sender}}}})
	if err != nil || len(filed[0].Opened) != 1 {
		r.t.Fatalf("%+v %v", filed, err)
	}
	return filed[0].Opened[0]
}

func (r *room) finish(t desk.Ticket) {
	r.t.Helper()
	for _, s := range []desk.Status{desk.StatusResolved, desk.StatusClosed} {
		if _, _, err := r.store.Change(r.t.Context(), ticketstore.Change{TicketID: t.ID, Actor: desk.Author{Kind: "system"}, Status: s, Reason: "done"}); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *room) ask(sender, ask, language string) {
	r.t.Helper()
	r.n++
	payload, _ := json.Marshal(map[string]any{"channel_id": channel, "sender": sender, "to": identity(sender), "ask": ask, "envelope_id": fmt.Sprint("e", r.n), "language": language})
	if _, err := r.store.Enqueue(r.t.Context(), ticketstore.Job{Kind: "answer", DedupeKey: fmt.Sprint("answer:e", r.n), Payload: payload, Max: 100}); err != nil {
		r.t.Fatal(err)
	}
	r.Kick()
}

func wait(t *testing.T, c chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was said")
	}
}

func (r *room) said() string {
	r.t.Helper()
	wait(r.t, r.phone.came)
	r.phone.mu.Lock()
	defer r.phone.mu.Unlock()
	return r.phone.sent[len(r.phone.sent)-1].Text
}

func TestNumberOfAnotherCustomerIsAnsweredLikeNoNumberAtAll(t *testing.T) {
	onEach(t, func(t *testing.T, r *room) {
		theirs := r.write("wang", "wang", "退款没到账")
		r.ask("li", theirs.Number, "zh-CN")
		strangers := r.said()
		r.ask("li", "GD20200101-9999", "zh-CN")
		unknown := r.said()
		if strings.ReplaceAll(strangers, theirs.Number, "N") != strings.ReplaceAll(unknown, "GD20200101-9999", "N") || strings.Contains(strangers, "退款") {
			t.Errorf("%q and %q tell whether a number exists", strangers, unknown)
		}
	})
}

func TestOpenTicketShowsTheAnswerToItsAgents(t *testing.T) {
	onEach(t, func(t *testing.T, r *room) {
		mine := r.write("wang", "wang", "退款没到账")
		r.ask("wang", mine.Number, "")
		wait(t, r.wrote)
		all, err := r.store.Messages(t.Context(), mine.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		last := all[len(all)-1]
		if last.Direction != desk.DirectionOut || last.Author.Kind != "system" || !strings.Contains(last.Text, mine.Number+"「退款没到账」：已收到，等待分配客服") || last.Delivery == nil {
			t.Errorf("%+v", last)
		}
		if now, _ := r.store.Ticket(t.Context(), mine.ID); now.Status != desk.StatusNew || now.FirstReplyAt != 0 {
			t.Errorf("an automatic answer counts as a person's: %+v", now)
		}
	})
}

func TestProgressListsWhatIsOpenAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, r *room) {
		done := r.write("wang", "wang", "old matter")
		r.finish(done)
		r.ask("wang", "*", "en")
		if got := r.said(); !strings.Contains(got, "no open ticket") {
			t.Errorf("%q", got)
		}
		other := r.write("wang", "elsewhere", "second matter")
		r.ask("wang", "*", "en")
		if got := r.said(); !strings.Contains(got, other.Number+` "second matter": received`) || strings.Contains(got, "old matter") {
			t.Errorf("%q", got)
		}
		r.ask("nobody", "*", "")
		if got := r.said(); !strings.Contains(got, "您目前没有处理中的工单") {
			t.Errorf("%q", got)
		}
	})
}

func TestQuestionIsAnsweredWhenTheProviderIsBackAndGivenUpWhenRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r *room) {
		r.phone.fail = &connectors.SendError{Class: connectors.Permanent, Code: "43004"}
		r.ask("wang", "*", "")
		r.said()
		jobs, err := r.store.ClaimJobs(t.Context(), []string{"answer"}, 10, desk.At(time.Now()))
		if err != nil || len(jobs) != 0 {
			t.Errorf("a refused answer is tried again: %+v %v", jobs, err)
		}
		r.phone.mu.Lock()
		r.phone.fail = &connectors.SendError{Class: connectors.Transient}
		r.phone.mu.Unlock()
		r.ask("wang", "*", "")
		r.said()
		deadline := time.After(10 * time.Second)
		for due := desk.Time(0); due <= desk.At(time.Now()); { // put off, not forgotten
			if due, err = r.store.NextJobDue(t.Context()); err != nil || due == 0 {
				t.Fatalf("the question is forgotten: %v", err)
			}
			select {
			case <-deadline:
				t.Fatal("the question was not put off")
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
}

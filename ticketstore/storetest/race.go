package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// nodes are several stores at work: on one SQLite file all belts of a process share one, on PostgreSQL each node has its own.
func (w *World) nodes(n int) []*ticketstore.Store {
	stores := []*ticketstore.Store{w.Store}
	for len(stores) < n {
		s := w.Store
		if w.Store.Engine() == "postgres" {
			s = w.Second()
		}
		stores = append(stores, s)
	}
	return stores
}

// testRace lets two nodes take and file the same senders' messages at once, each sent twice, while agents reply.
func testRace(w *World) {
	const senders, each = 6, 10
	nodes := w.nodes(2)
	var workers sync.WaitGroup
	for _, node := range nodes {
		for half := range 2 {
			workers.Go(func() {
				order := rand.New(rand.NewPCG(uint64(half), 7)).Perm(senders)
				for n := range each {
					var envs []desk.Envelope
					for _, v := range order {
						if v%2 == half { // one writer per sender and node: the external ids come in order on each node
							envs = append(envs, desk.Envelope{ChannelID: channel, Kind: "webchat", Sender: fmt.Sprint("v", v), ExternalID: fmt.Sprintf("v%d-%d", v, n), Raw: fmt.Appendf(nil, "%d", n)})
						}
					}
					if err := node.PutInbox(w.ctx, []*ticketstore.Arrival{{ChannelID: channel, Envelopes: envs}}, 0); err != nil {
						w.Error(err)
						return
					}
					w.drain(node, 4)
				}
			})
		}
	}
	workers.Wait()
	for range 200 { // what one node put back while the other was filing
		w.Clock.Pass(time.Minute)
		if w.drain(w.Store, 50) == 0 {
			break
		}
	}
	w.checkRace(senders, each)
}

// drain claims and files once, and replies to what it opened. It returns how many it claimed.
func (w *World) drain(s *ticketstore.Store, limit int) int {
	claimed, err := s.ClaimInbox(w.ctx, limit, w.in(time.Minute))
	if err != nil {
		w.Error(err)
		return 0
	}
	var filings []ticketstore.Filing
	for _, e := range claimed {
		filings = append(filings, understood(e))
	}
	filed, err := s.File(w.ctx, filings)
	if err != nil {
		w.Error(err)
	}
	for _, f := range filed {
		for _, t := range f.Opened {
			if _, err := s.Reply(w.ctx, ticketstore.ReplyInput{TicketID: t.ID, Author: agent, Text: "hello"}); err != nil {
				w.Error(err)
			}
		}
	}
	return len(claimed)
}

func (w *World) checkRace(senders, each int) {
	numbers := map[string]bool{}
	for v := range senders {
		t, err := w.Store.SenderTicket(w.ctx, channel, fmt.Sprint("v", v))
		if err != nil {
			w.Errorf("v%d: %v", v, err)
			continue
		}
		numbers[t.Number] = true
		messages, err := w.Store.Messages(w.ctx, t.ID, 0, 200)
		w.ok(err)
		var said []string
		for i, m := range messages {
			if m.Seq != int64(i+1) {
				w.Errorf("v%d: message %d has seq %d", v, i+1, m.Seq)
			}
			if m.Direction == desk.DirectionIn {
				said = append(said, m.Text)
			}
		}
		if len(said) != each || !slices.IsSortedFunc(said, func(a, b string) int { return len(a) - len(b) }) || !slices.IsSorted(said) {
			w.Errorf("v%d said %v", v, said)
		}
		if t.Version != int64(len(messages)) {
			w.Errorf("v%d: version %d, %d messages", v, t.Version, len(messages))
		}
	}
	loads, err := w.Store.Loads(w.ctx, "", 1000)
	w.ok(err)
	if len(numbers) != senders || len(loads) != senders {
		w.Errorf("%d senders have %d tickets with %d numbers", senders, len(loads), len(numbers))
	}
}

// testOneOwner lets many pick the same tickets at once.
func testOneOwner(w *World) {
	var ids []desk.ID
	for i := range 8 {
		ids = append(ids, w.say(fmt.Sprint("v", i), "help").TicketID)
	}
	var mu sync.Mutex
	owners := map[desk.ID][]desk.ID{}
	var agents sync.WaitGroup
	for n, node := range w.nodes(3) {
		for k := range 3 {
			agents.Go(func() {
				who := fmt.Sprintf("agent-%d-%d", n, k)
				var picks []ticketstore.Assignment
				for i, id := range ids {
					picks = append(picks, ticketstore.Assignment{TicketID: id, AgentID: who, Epoch: int64(1 + n + 3*k + i), Kind: "claimed", Unowned: true})
				}
				results, err := node.Assign(w.ctx, picks)
				if err != nil {
					w.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for i, r := range results {
					if r.Taken {
						owners[ids[i]] = append(owners[ids[i]], who)
					}
				}
			})
		}
	}
	agents.Wait()
	for _, id := range ids {
		if len(owners[id]) != 1 || w.ticket(id).AssigneeID != owners[id][0] {
			w.Errorf("ticket %s was given to %v and belongs to %s", id, owners[id], w.ticket(id).AssigneeID)
		}
	}
}

// testOneSend lets several belts claim the same replies at once.
func testOneSend(w *World) {
	const tickets = 10
	for i := range tickets {
		id := w.say(fmt.Sprint("v", i), "help").TicketID
		w.reply(id, "one", "1")
		w.reply(id, "two", "2")
	}
	var mu sync.Mutex
	seen := map[desk.ID]int{}
	var belts sync.WaitGroup
	for _, node := range w.nodes(3) {
		belts.Go(func() {
			for {
				claimed, err := node.ClaimDeliveries(w.ctx, 3, w.in(time.Minute))
				if err != nil {
					w.Error(err)
				}
				if len(claimed) == 0 {
					return
				}
				mu.Lock()
				for _, c := range claimed {
					seen[c.Outbound.MessageID]++
					if c.Outbound.Text != "one" {
						w.Error("the second reply was claimed beside the first")
					}
				}
				mu.Unlock()
			}
		})
	}
	belts.Wait()
	if len(w.claim()) != 0 {
		w.Error("something was left")
	}
	for id, n := range seen {
		if n != 1 {
			w.Errorf("reply %s was claimed %d times", id, n)
		}
	}
	if len(seen) != tickets {
		w.Errorf("claimed %d replies of %d", len(seen), tickets)
	}
}

// testCallRace lets several nodes file the first events of the same calls at once, on the same line and on others.
func testCallRace(w *World) {
	const calls = 20
	nodes := w.nodes(3)
	for round := range 2 {
		batches := make([][]ticketstore.Filing, len(nodes))
		for i := range calls {
			id, number := fmt.Sprint("call-", round, "-", i), fmt.Sprintf("+8613800%d%03d", round, i)
			for k, e := range w.threeOf(number) {
				customer := number
				if k == i%3 {
					customer = "" // this one comes by the call's own line
				}
				r := callReport(id, customer, e)
				f := w.ring(r)
				batches[(i+k)%len(nodes)] = append(batches[(i+k)%len(nodes)], f)
			}
		}
		var all sync.WaitGroup
		for n, node := range nodes {
			all.Go(func() {
				left := batches[n]
				for len(left) > 0 {
					filed, err := node.File(w.ctx, left)
					if err != nil {
						w.Error(err)
						return
					}
					var again []ticketstore.Filing
					for i, f := range filed {
						if f.Skipped { // an earlier event of the line is another node's and not filed yet
							again = append(again, left[i])
						}
					}
					left = again
				}
			})
		}
		all.Wait()
		tickets := map[desk.ID]bool{}
		for i := range calls {
			c := w.callRow(fmt.Sprint("call-", round, "-", i))
			tickets[c.TicketID] = true
			if c.Call.State != "ended" || c.Call.TalkSeconds != 30 || len(c.Call.Events) != 3 || c.MessageID == "" {
				w.Errorf("call %+v", c)
			}
		}
		if len(tickets) != calls || tickets[""] {
			w.Errorf("%d calls have %d tickets", calls, len(tickets))
		}
	}
	loads, err := w.Store.Loads(w.ctx, "", 1000)
	w.ok(err)
	if len(loads) != 2*calls {
		w.Errorf("%d tickets of %d calls", len(loads), 2*calls)
	}
}

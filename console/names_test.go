package console

import (
	"context"
	"testing"

	"hearback/desk"
	"hearback/ticketstore/storetest"
)

func TestNameOfSomebodyAddedElsewhereIsLookedUp(t *testing.T) {
	s := storetest.SQLite(t)
	n := newNames(s)
	if err := n.load(context.Background()); err != nil {
		t.Fatal(err)
	}
	ann, err := s.CreateAgent(context.Background(), desk.Agent{Email: "ann@example.com", Name: "Ann", Role: desk.RoleAgent}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.agent(ann.ID); got.Name != "Ann" {
		t.Errorf("shown as %q", got.Name)
	}
	asked := n.asked.Load()
	n.agent("nobody")
	n.agent("nobody")
	if n.asked.Load() != asked {
		t.Error("an id that nobody knows costs a query each time")
	}
}

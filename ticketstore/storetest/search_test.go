package storetest

import (
	"slices"
	"strings"
	"testing"

	"hearback/desk"
	"hearback/ticketstore"
)

func TestSearchFindsTheSameOnBothEngines(t *testing.T) {
	inBothWorlds(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		contact := must(w.SaveContact(ctx, desk.Contact{Name: "王芳 Fang", Company: "50% 折扣公司", Identities: []desk.Identity{
			{Type: "email", Value: "fang@example.com"}, {Type: "phone", Value: "+8613812345678"}}}))(t)
		a := w.ticket(t, desk.Ticket{Number: "GD20261121-0007", Subject: "退款没到账", UpdatedAt: 4, TeamID: "money"})
		b := w.ticket(t, desk.Ticket{Number: "GD20261121-0012", Subject: "Invoice wrong", UpdatedAt: 3, ContactID: contact.ID})
		c := w.ticket(t, desk.Ticket{Number: "GD20261120-1007", Subject: "发货", UpdatedAt: 2})
		w.message(t, desk.Message{TicketID: a.ID, Seq: 1, Text: "你好，上周申请的退款还没有到账，订单号 AB12345"})
		w.message(t, desk.Message{TicketID: a.ID, Seq: 2, Text: "Please refund me, café O'Neil"})
		w.message(t, desk.Message{TicketID: b.ID, Seq: 1, Text: "款退了吗？退 款 流程 is unclear"})
		w.message(t, desk.Message{TicketID: c.ID, Seq: 1, Text: "什么时候发货"})
		if n := must(w.Reindex(ctx))(t); n != 7 {
			t.Fatalf("%d texts", n)
		}
		for query, want := range map[string]string{
			"退款":               "ab",
			"退款没到":             "a",
			"退款 发货":            "",
			"退款 到账":            "a", // both, wherever they stand
			"到账退款":             "",
			"退":                "ab",
			"货":                "c",
			"發貨":               "c",
			"refund":           "a",
			"Refu":             "a", // half a word, while it is typed
			"REFUND me":        "a",
			"cafe":             "a",
			"O'Neil":           "a",
			"AB12345":          "a",
			"b12345":           "",
			"invoice":          "b",
			"GD20261121-0007":  "a",
			"gd20261121-0007":  "a",
			"0007":             "a",
			"7":                "a",
			"1007":             "c",
			"#12":              "b",
			"20261120-1007":    "c",
			"王芳":               "b",
			"fang@EXAMPLE.com": "b",
			"138 1234 5678":    "b",
			"50%":              "b",
			"5_%":              "",
			"%":                "b",
			"words:refund":     "",
			`"refund" OR *`:    "",
			"' OR 1=1 --":      "",
			"\\ ' & | ! <-> (": "",
			"nothing":          "",
			"\x00":             "",
		} {
			rows, _, err := w.Tickets(ctx, ticketstore.TicketFilter{Scope: everything(), Query: query, Sort: "updated"}, "")
			var got strings.Builder
			for _, r := range rows {
				got.WriteByte("abc"[slices.Index([]desk.ID{a.ID, b.ID, c.ID}, r.ID)])
			}
			if err != nil || got.String() != want {
				t.Errorf("%q finds %q, want %q, %v", query, got.String(), want, err)
			}
		}
		rows, _, err := w.Tickets(ctx, ticketstore.TicketFilter{Scope: ticketstore.Scope{AgentID: "x", Teams: []desk.ID{"goods"}}, Query: "退款"}, "")
		if err != nil || len(rows) != 1 || rows[0].ID != b.ID {
			t.Errorf("search looks beyond the scope: %v, %v", subjects(rows), err)
		}
	})
}

func FuzzSearchNeverFails(f *testing.F) {
	for _, q := range []string{"退款", `"`, "'", "a AND b", "NEAR(a b)", "a*", ":*", "\\'", "<->", "退'款", "\xff", "words : x"} {
		f.Add(q)
	}
	engines := []*ticketstore.Store{SQLite(f), Postgres(f)}
	f.Fuzz(func(t *testing.T, q string) {
		for _, s := range engines {
			if _, _, err := s.Tickets(t.Context(), ticketstore.TicketFilter{Scope: everything(), Query: q}, ""); err != nil {
				t.Errorf("%s: %q: %v", s.Engine(), q, err)
			}
		}
	})
}

package telephony

import (
	"testing"

	"hearback/desk"
)

func TestNumbersOfAnyNotationAreOne(t *testing.T) {
	beijing := &settings{country: "CN", areaCode: "010"}
	germany := &settings{country: "DE", areaCode: "0221"}
	america := &settings{country: "US", areaCode: "415"}
	for _, c := range []struct {
		s          *settings
		told, want string
	}{
		{beijing, "13800138000", "+8613800138000"},
		{beijing, "+86 138-0013-8000", "+8613800138000"},
		{beijing, "8613800138000", "+8613800138000"},
		{beijing, "008613800138000", "+8613800138000"},
		{beijing, "013800138000", "+8613800138000"},
		{beijing, "913800138000", "+8613800138000"},
		{beijing, "9013800138000", "+8613800138000"},
		{beijing, "64368888", "+861064368888"},
		{beijing, "010-64368888", "+861064368888"},
		{beijing, "901064368888", "+861064368888"},
		{beijing, "02164368888", "+862164368888"},
		{beijing, "０１０６４３６８８８８", "+861064368888"},
		{beijing, "4008001234", "+864008001234"},
		{beijing, "493055571600", "+493055571600"},
		{beijing, "+14158675309", "+14158675309"},
		{beijing, "sip:+8613800138000@pbx.example", "+8613800138000"},
		{beijing, "tel:+86-10-6436-8888;ext=12", "+861064368888"},
		{germany, "493055571600", "+493055571600"},
		{germany, "492214710334", "+492214710334"},
		{&settings{country: "DE", format: "zammad"}, "33142685300", "+33142685300"},
		{&settings{country: "CN", format: "zammad"}, "13800138000", "+8613800138000"},
		{germany, "0221 4710334", "+492214710334"},
		{germany, "4710334", "+492214710334"},
		{germany, "00493055571600", "+493055571600"},
		{america, "(415) 867-5309", "+14158675309"},
		{america, "14158675309", "+14158675309"},
		{america, "867-5309", "+14158675309"},
		{beijing, "101", ""}, {beijing, "95588", ""}, {beijing, "anonymous", ""}, {beijing, "Anonymous", ""}, {beijing, "+266696687", ""},
		{beijing, "未知", ""}, {beijing, "", ""}, {beijing, "000000", ""}, {beijing, "client:alice", ""}, {beijing, "alice", ""},
		{beijing, "sip:anonymous@anonymous.invalid", ""}, {beijing, "123456789012345678901234", ""},
	} {
		if got, ok := c.s.e164(c.told); got != c.want || ok != (c.want != "") {
			t.Errorf("%s in %s: %q, want %q", c.told, c.s.country, got, c.want)
		}
	}
}

func TestNumbersAreShownAsToldWhenTheyAreNone(t *testing.T) {
	s := &settings{country: "CN"}
	for told, want := range map[string]string{"": "", "anonymous": "anonymous", "101": "101", "95588": "95588", "Restricted": "anonymous", "client:alice": "client:alice",
		"13800138000": "+8613800138000"} {
		if e := s.told(told); e.From != want {
			t.Errorf("%q: %q, want %q", told, e.From, want)
		}
	}
}

func TestWhoIsWhoByDirection(t *testing.T) {
	s := readSettings(nil)
	for _, c := range []struct {
		direction, from, to, named string
		customer, becomes, agent   string
	}{
		{"inbound", "13800138000", "101", "", "+8613800138000", "inbound", ""},
		{"outbound", "101", "013800138000", "", "+8613800138000", "outbound", "101"},
		{"outbound", "01064368888", "13800138000", "", "+8613800138000", "outbound", ""},
		{"inbound", "102", "101", "", "", "internal", ""},
		{"internal", "13800138000", "101", "", "", "internal", ""},
		{"inbound", "95588", "8001", "", "", "inbound", ""},
		{"inbound", "anonymous", "01064368888", "", "", "inbound", ""},
		{"inbound", "101", "01064368888", "13800138000", "+8613800138000", "inbound", ""},
	} {
		e := desk.CallEvent{Direction: c.direction, From: c.from, To: c.to}
		customer, agent := s.parties(&e, c.named), ""
		if len(e.Agents) > 0 {
			agent = e.Agents[0]
		}
		if customer != c.customer || e.Direction != c.becomes || agent != c.agent {
			t.Errorf("%+v: customer %q, %s, agent %q", c, customer, e.Direction, agent)
		}
	}
}

// told is an event of a caller after its numbers were read.
func (s *settings) told(from string) desk.CallEvent {
	e := desk.CallEvent{From: from}
	s.parties(&e, "")
	return e
}

func FuzzNumbers(f *testing.F) {
	f.Add("+86 138-0013-8000", "010", "CN")
	f.Add("sip:0221@x", "", "DE")
	f.Fuzz(func(t *testing.T, told, area, country string) {
		s := &settings{country: country, areaCode: area}
		n, ok := s.e164(told)
		if !ok {
			return
		}
		if again, ok := s.e164(n); !ok || again != n {
			t.Errorf("%q is %q, which is %q", told, n, again)
		}
	})
}

package mail

import "testing"

func TestBaseSubjectIsTheSameThroughoutAConversation(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"订单 42", "Re: 订单 42", "RE: Re: 订单 42", "回复：订单 42", "回复: Re: 转发：订单 42", "Fwd: AW: 订单  42", "Re[2]: 订单 42", "答复: 订单 42", "SV: 订单 42", "  Re : 订单 42"} {
		if got := BaseSubject(s); got != "订单 42" {
			t.Errorf("%q: %q", s, got)
		}
	}
	for _, s := range []string{"Reply to all", "Resume: my application", "回复我", ""} {
		if got := BaseSubject(s); got != s {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestForwardWithoutAWordIsShownWhole(t *testing.T) {
	t.Parallel()
	m := Parse(crlf("From: a@example.com\nSubject: Fwd: x\n\n---------- Forwarded message ---------\nFrom: b@example.com\nDate: Mon, 3 Mar 2025\nSubject: x\n\nplease see this\n"), Limits{})
	if m.Reply == "" || m.Quoted != "" {
		t.Errorf("reply %q, quoted %q", m.Reply, m.Quoted)
	}
}

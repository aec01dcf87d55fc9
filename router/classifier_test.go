package router

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"hearback/desk"
)

func rule(id string, position int, change func(*desk.Rule)) desk.Rule {
	r := desk.Rule{ID: id, Name: id, Position: position, Enabled: true, Version: 1}
	change(&r)
	return r
}

func TestKeywordsAreFoundHoweverTheyAreWritten(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{
		rule("refund", 1, func(r *desk.Rule) { r.Any = SplitList("退款，退货、refund；ﬁnance"); r.TeamID = "money" }),
		rule("app", 2, func(r *desk.Rule) { r.Any = []string{"app", "登录", "café", "3C"}; r.TeamID = "tech" }),
		rule("complaint", 3, func(r *desk.Rule) { r.Any = []string{"投诉", "12315", "曝光"}; r.Priority = desk.PriorityCritical }),
	})
	for _, x := range []struct{ text, team, priority string }{
		{"我要退款", "money", ""}, {"退 款", "money", ""}, {"退-款", "money", ""}, {"退\u200b款", "money", ""}, {"退·款", "money", ""},
		{"退　款", "money", ""}, {"退\n款", "money", ""}, {"退_款", "money", ""}, {"退*款", "money", ""}, {"退/款", "money", ""}, {"退.款", "money", ""},
		{"退貨", "money", ""}, {"請幫我退貨", "money", ""}, {"ＲＥＦＵＮＤ", "money", ""}, {"Refund!", "money", ""}, {"please refund me", "money", ""},
		{"REFUND", "money", ""}, {"(refund)", "money", ""}, {"refund退款", "money", ""}, {"我要refund啊", "money", ""}, {"finance", "money", ""}, {"ﬁnance", "money", ""},
		{"退。款", "", ""}, {"退，款", "", ""}, {"退\n\n款", "", ""}, {"refunds", "", ""}, {"nonrefund", "", ""}, {"refund2", "", ""},
		{"happy", "", ""}, {"app", "tech", ""}, {"my app crashes", "tech", ""}, {"这个app打不开", "tech", ""}, {"APP", "tech", ""}, {"apps", "", ""}, {"Ａｐｐ", "tech", ""},
		{"登錄不了", "tech", ""}, {"登录失败", "tech", ""}, {"CAFÉ", "tech", ""}, {"cafe\u0301", "tech", ""}, {"cafés", "", ""}, {"3C认证", "tech", ""}, {"13C", "", ""},
		{"打12315", "", "critical"}, {"123156", "", ""}, {"我要投訴", "", "critical"}, {"退款不给就曝光", "money", "critical"}, {"投 诉", "", "critical"},
		// negation
		{"不退款", "", ""}, {"不需要退款", "", ""}, {"不用退款了", "", ""}, {"不要退款", "", ""}, {"我不想退款", "", ""}, {"别退款", "", ""}, {"无需退款", "", ""}, {"没退款", "", ""},
		{"没有退款", "", ""}, {"不 退 款", "", ""}, {"暂时不打算申请退款", "", ""}, {"不需要退貨", "", ""}, {"無需退款", "", ""},
		{"I don't want a refund", "", ""}, {"no refund", "", ""}, {"do not refund", "", ""}, {"I don’t need any refund", "", ""}, {"without refund", "", ""},
		// what only looks like negation
		{"不知道怎么退款", "money", ""}, {"不能退款", "money", ""}, {"为什么不退款", "money", ""}, {"能不能退款", "money", ""}, {"要不要退款", "money", ""},
		{"退不退款", "money", ""}, {"还没退款", "money", ""}, {"特别想退款", "money", ""}, {"不喜欢，退款", "money", ""}, {"没收到退款", "money", ""},
		{"再不退款我就投诉", "money", "critical"}, {"不得不退款", "money", ""}, {"有没有退款", "money", ""}, {"why no refund", "money", ""},
		{"no. refund please", "money", ""}, {"不退款？那我要退款", "money", ""},
		{"", "", ""}, {"你好", "", ""}, {"\xff\xfe", "", ""},
	} {
		got := c.Classify(x.text, "", "")
		if got.TeamID != x.team || string(got.Priority) != x.priority {
			t.Errorf("%q: team %q priority %q, want %q %q (hits %+v)", x.text, got.TeamID, got.Priority, x.team, x.priority, got.Hits)
		}
	}
}

func TestHitsPointIntoTheOriginal(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{rule("r", 1, func(r *desk.Rule) { r.Any = []string{"退款", "refund"} })})
	for text, want := range map[string][]string{
		"你好，我要退-款。": {"退-款"},
		"ＲＥＦＵＮＤ ok": {"ＲＥＦＵＮＤ"},
		"退款a退 款":    {"退款", "退 款"},
		"不退款，我要退款":  {"退款", "退款"},
	} {
		got := c.Classify(text, text, "")
		var texts []string
		for _, h := range got.Hits {
			if h.Text != text[h.Start:h.End] || h.RuleID != "r" || h.Version != 1 {
				t.Errorf("%q: hit %+v", text, h)
			}
			if h.Field == "text" {
				texts = append(texts, h.Text)
			}
		}
		if !reflect.DeepEqual(texts, want) || len(got.Hits) != 2*len(want) {
			t.Errorf("%q: %q, want %q", text, texts, want)
		}
	}
}

func TestNegatedWordIsShownAsPassedOver(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{
		rule("a", 1, func(r *desk.Rule) { r.Any = []string{"退款"}; r.TeamID = "money" }),
		rule("b", 2, func(r *desk.Rule) { r.Any = []string{"不需要退款"}; r.TeamID = "calm" }),
	})
	got := c.Classify("不需要退款", "", "")
	if got.TeamID != "calm" {
		t.Errorf("the negated form is a keyword when somebody names it: %+v", got)
	}
	for _, h := range got.Hits {
		if h.RuleID == "a" && h.PassedOver != "negated by 不需要" {
			t.Errorf("%+v", h)
		}
	}
}

func TestAllAnyNotAndChannels(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{
		rule("both", 1, func(r *desk.Rule) { r.All = []string{"退款", "银行"}; r.TeamID = "bank" }),
		rule("either", 2, func(r *desk.Rule) { r.All = []string{"发票"}; r.Any = []string{"抬头", "税号"}; r.TeamID = "tax" }),
		rule("unless", 3, func(r *desk.Rule) { r.Any = []string{"快递"}; r.Not = []string{"已收到"}; r.TeamID = "post" }),
		rule("wechat", 4, func(r *desk.Rule) { r.Any = []string{"红包"}; r.Channels = []string{"wx"}; r.TeamID = "gifts" }),
		rule("off", 5, func(r *desk.Rule) { r.Any = []string{"停用"}; r.Enabled = false; r.TeamID = "off" }),
		rule("empty", 6, func(r *desk.Rule) { r.Not = []string{"x"}; r.TeamID = "empty" }),
	})
	for _, x := range []struct{ text, subject, channel, team string }{
		{"退款到银行卡", "", "", "bank"}, {"退款", "", "", ""}, {"到银行卡", "退款", "", "bank"}, {"退款退款", "", "", ""}, {"不退款到银行", "", "", ""},
		{"发票", "", "", ""}, {"发票税号错了", "", "", "tax"}, {"税号", "", "", ""},
		{"快递呢", "", "", "post"}, {"快递已收到", "", "", ""}, {"快递", "已收到", "", ""},
		{"红包", "", "wx", "gifts"}, {"红包", "", "mail", ""}, {"停用", "", "", ""}, {"随便", "", "", ""},
	} {
		if got := c.Classify(x.text, x.subject, x.channel); got.TeamID != x.team {
			t.Errorf("%q/%q: %q, want %q", x.subject, x.text, got.TeamID, x.team)
		}
	}
}

func TestFirstRuleDecidesAndEveryRuleTags(t *testing.T) {
	rules := []desk.Rule{
		rule("late", 9, func(r *desk.Rule) {
			r.Any = []string{"退款"}
			r.TeamID = "late"
			r.Priority = "urgent"
			r.Tags = []string{"c", "a"}
		}),
		rule("first", 1, func(r *desk.Rule) { r.Any = []string{"退款"}; r.TeamID = "first"; r.Tags = []string{"a", "b"} }),
	}
	for range 2 {
		c := NewClassifier()
		c.Load(rules)
		got := c.Classify("退款", "", "")
		if got.TeamID != "first" || got.Priority != "urgent" || strings.Join(got.Tags, "") != "abc" {
			t.Errorf("%+v", got)
		}
		rules[0], rules[1] = rules[1], rules[0] // the order in which they come does not matter
	}
}

func TestWordInsideALongerWordOfAnotherMatchingRuleDoesNotCount(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{
		rule("phone", 1, func(r *desk.Rule) { r.Any = []string{"手机"}; r.TeamID = "phones"; r.Tags = []string{"phone"} }),
		rule("number", 2, func(r *desk.Rule) { r.Any = []string{"手机号"}; r.TeamID = "accounts" }),
		rule("number of bank", 3, func(r *desk.Rule) { r.All = []string{"手机坏了怎么办", "银行"}; r.TeamID = "never" }),
	})
	for text, team := range map[string]string{
		"手机号换了": "accounts", "手机坏了": "phones", "手机坏了，手机号也丢了": "phones", "手机坏了怎么办": "phones",
	} {
		if got := c.Classify(text, "", ""); got.TeamID != team {
			t.Errorf("%q: %q, want %q; %+v", text, got.TeamID, team, got)
		}
	}
	if got := c.Classify("手机号换了", "", ""); len(got.Tags) != 0 || got.Hits[1].PassedOver+got.Hits[0].PassedOver != "part of 手机号" {
		t.Errorf("%+v", got)
	}
}

func TestSplitListTakesEverySeparatorPeopleType(t *testing.T) {
	got := SplitList(" 退款，退货,换货、维修;保修；refund\r\n 以旧换新 \n,，退款")
	if want := []string{"退款", "退货", "换货", "维修", "保修", "refund", "以旧换新"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestPlanCarriesTheDecision(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{rule("r", 1, func(r *desk.Rule) {
		r.Any = []string{"退款"}
		r.TeamID = "t"
		r.Priority = "urgent"
		r.Tags = []string{"x"}
	})})
	p := c.Classify("我要退款", "", "").Plan()
	var d Classification
	if err := json.Unmarshal(p.Decision, &d); err != nil || p.TeamID != "t" || p.Priority != "urgent" || len(p.Tags) != 1 || len(d.Hits) != 1 {
		t.Errorf("%+v %s %v", p, p.Decision, err)
	}
}

func TestOneWordAThousandTimesIsUnderstoodQuickly(t *testing.T) {
	c := NewClassifier()
	c.Load([]desk.Rule{rule("r", 1, func(r *desk.Rule) { r.Any = []string{"退款", "款退"}; r.TeamID = "t" })})
	got := c.Classify(strings.Repeat("不退款", 100)+strings.Repeat("退款", 1_000_000), "", "")
	if got.TeamID != "t" || len(got.Hits) > 3*maxOccurrences {
		t.Errorf("team %q, %d hits", got.TeamID, len(got.Hits))
	}
}

func FuzzClassifyPointsIntoItsInput(f *testing.F) {
	c := NewClassifier()
	c.Load([]desk.Rule{
		rule("a", 1, func(r *desk.Rule) { r.Any = []string{"退款", "退", "app", "a"} }),
		rule("b", 2, func(r *desk.Rule) { r.All = []string{"退款", "款"}; r.Not = []string{"x"} }),
	})
	f.Add("不退-款 app", "a")
	f.Fuzz(func(t *testing.T, text, subject string) {
		for _, h := range c.Classify(text, subject, "").Hits {
			in := text
			if h.Field == "subject" {
				in = subject
			}
			if h.Start < 0 || h.Start >= h.End || h.End > len(in) || in[h.Start:h.End] != h.Text {
				t.Fatalf("%+v", h)
			}
		}
	})
}

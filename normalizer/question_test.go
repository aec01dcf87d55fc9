package normalizer

import "testing"

func TestOnlyQuestionsForTheStateAreAnsweredByTheHouse(t *testing.T) {
	for text, want := range map[string]string{
		"进度":               "*",
		" 查询进度？ ":          "*",
		"進度":               "*",
		"進 度":              "*",
		"My tickets":       "*",
		"ＳＴＡＴＵＳ":           "*",
		"GD20261121-0007":  "GD20261121-0007",
		"gd20261121-0007。": "GD20261121-0007",
		"ＧＤ２０２６１１２１－０００７":            "GD20261121-0007",
		"请问 GD20261121-0007 到哪了？":    "GD20261121-0007",
		"查一下工单号：GD20261121-0007的进度":  "GD20261121-0007",
		"status of #GD20261121-0007": "GD20261121-0007",
		"GD20261121 0007":            "GD20261121-0007",
		"GD20261121-12345":           "GD20261121-12345",

		"":            "",
		"我的退款进度怎么这么慢": "",
		"GD20261121-0007 还没有解决，我要投诉":      "",
		"GD20261121-0007 GD20261121-0008": "",
		"订单 20261121-0007":                "",
		"GD2026-7":                        "",
		"status quo":                      "",
		"what is the progress of my order, it has been three weeks and nobody answers": "",
	} {
		if got := Question(text); got != want {
			t.Errorf("%q is taken as %q, want %q", text, got, want)
		}
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add("请问 GD20261121-0007 到哪了？")
	f.Add("\xff进度")
	f.Fuzz(func(t *testing.T, text string) {
		if q := Question(text); q != "" && q != "*" && len(q) < len("GD20261121-0007") {
			t.Errorf("%q is a question for %q", text, q)
		}
	})
}

package normalizer

import (
	"regexp"
	"strings"
)

// number is a ticket's number as people write it: with spaces, dashes of all kinds, in full width or lower case.
var number = regexp.MustCompile(`^#?gd\s*-?\s*(\d{8})\s*-?\s*(\d{4,8})#?$`)

// progressWords ask for the state of all open tickets, folded as Match folds them.
var progressWords = map[string]bool{
	"进度": true, "查进度": true, "查询进度": true, "进度查询": true, "工单进度": true, "查工单": true, "工单查询": true, "查询工单": true, "我的工单": true,
	"处理进度": true, "查看进度": true, "工单": true, "查单": true,
	"progress": true, "status": true, "my tickets": true, "ticket status": true, "my ticket": true,
}

// around are words that only make a question polite.
var around = []string{"请问", "你好", "您好", "帮我", "麻烦", "一下", "请", "呢", "吗", "的", "到哪了", "怎么样了", "如何了", "查询", "查", "工单号", "工单", "单号", "进度", "状态", "please", "status of", "status", "progress of", "progress", "ticket"}

// Question tells whether a message only asks for the state of tickets: the ticket's number ("GD20260101-0001"), "*" for all open
// ones, "" when it says anything else. A message that tells more than that is left to people.
func Question(text string) string {
	if len(text) > 120 {
		return ""
	}
	folded := strings.TrimSpace(strings.Trim(strings.TrimSpace(string(Match(text).Runes)), "?？!！.。,，:：~～ "))
	if progressWords[folded] {
		return "*"
	}
	rest := folded
	for _, w := range around {
		rest = strings.TrimSpace(strings.Trim(strings.TrimSpace(strings.ReplaceAll(rest, w, " ")), ":：,，"))
	}
	rest = strings.NewReplacer("－", "-", "—", "-", "–", "-", "_", "-").Replace(strings.Join(strings.Fields(rest), " "))
	if m := number.FindStringSubmatch(rest); m != nil {
		return "GD" + m[1] + "-" + m[2]
	}
	return ""
}

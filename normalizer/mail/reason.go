package mail

import (
	"regexp"
	"strings"
)

// Reason is why a mail did not arrive, in one word.
type Reason string

const (
	ReasonUnknownUser Reason = "user_unknown"
	ReasonMailboxFull Reason = "mailbox_full"
	ReasonDisabled    Reason = "account_disabled"
	ReasonUnknownHost Reason = "host_unknown"
	ReasonExpired     Reason = "gave_up"
	ReasonBlocked     Reason = "blocked"
	ReasonSpam        Reason = "taken_for_spam"
	ReasonTooBig      Reason = "too_big"
	ReasonPolicy      Reason = "policy"
	ReasonNetwork     Reason = "network"
	ReasonRelay       Reason = "relaying_denied"
	ReasonMoved       Reason = "moved"
	ReasonOther       Reason = "other"
)

var reasonWords = map[Reason][2]string{
	ReasonUnknownUser: {"The address does not exist.", "收件地址不存在。"},
	ReasonMailboxFull: {"The recipient's mailbox is full.", "对方邮箱已满。"},
	ReasonDisabled:    {"The recipient's account is disabled.", "对方账号已停用。"},
	ReasonUnknownHost: {"The recipient's mail domain does not exist or takes no mail.", "对方的邮件域名不存在或不接收邮件。"},
	ReasonExpired:     {"The recipient's server could not be reached in time.", "在规定时间内无法连接对方服务器。"},
	ReasonBlocked:     {"The recipient's server blocks our server.", "对方服务器拒收来自本服务器的邮件。"},
	ReasonSpam:        {"The recipient's server took the mail for spam.", "对方服务器将邮件判定为垃圾邮件。"},
	ReasonTooBig:      {"The mail is too big for the recipient's server.", "邮件超过对方服务器允许的大小。"},
	ReasonPolicy:      {"The recipient's server refused the mail by its rules.", "对方服务器按其策略拒收。"},
	ReasonNetwork:     {"The connection to the recipient's server failed.", "与对方服务器的连接失败。"},
	ReasonRelay:       {"The server does not forward mail to this recipient.", "服务器不允许转发给该收件人。"},
	ReasonMoved:       {"The recipient has moved to another address.", "收件人已更换地址。"},
	ReasonOther:       {"The mail could not be delivered.", "邮件无法送达。"},
}

// Words says the reason in a sentence: English, or Chinese when lang begins with "zh".
func (r Reason) Words(lang string) string {
	words, ok := reasonWords[r]
	if !ok {
		words = reasonWords[ReasonOther]
	}
	if strings.HasPrefix(lang, "zh") {
		return words[1]
	}
	return words[0]
}

// byWords are tried in their order: the more telling first.
var byWords = []struct {
	reason Reason
	words  *regexp.Regexp
}{
	{ReasonMailboxFull, regexp.MustCompile(`(?i)mailbox (?:is )?(?:full|exceeds|for .{1,60} is full)|over ?quota|quota (?:exceeded|is full)|exceed(?:ed|s)? (?:the |its |allowed |storage |mailbox |local )*(?:quota|limit of messages|storage|size)|mailbox size|disk quota|out of storage|insufficient (?:system )?storage|too many messages in|messages in recipient's mailbox|mailbox is over|邮箱(?:空间)?已?满|空间不足|容量`)},
	{ReasonDisabled, regexp.MustCompile(`(?i)account (?:is |has been |that you tried to reach is )?(?:disabled|suspended|locked|inactive|deactivated|closed)|mailbox (?:is )?(?:disabled|unavailable or access|inactive|locked|blocked)|user (?:account )?(?:is )?(?:disabled|suspended|inactive)|not accepting (?:mail|messages)|账号?(?:已)?(?:停用|冻结|禁用|注销)|帐号?(?:已)?(?:停用|冻结|禁用|注销)`)},
	{ReasonUnknownUser, regexp.MustCompile(`(?i)user (?:is )?(?:unknown|not found|doesn'?t|does not|not known|not exist)|unknown (?:user|recipient|address|local|mailbox)|no such (?:user|person|mailbox|recipient|address|local)|no mailbox|mailbox (?:not found|does not exist|unavailable|unknown)|(?:address|recipient|account|mailbox|user)(?: \S+)? (?:was |is |could )?(?:not|n't)(?: be)? (?:found|recognized|exist|valid|listed)|does(?:n'?t| not) (?:exist|have an?)|invalid (?:recipient|user|address|mailbox)|no valid recipients|wasn'?t found|couldn'?t be found|recipient (?:address )?rejected|recipnotfound|not a valid|not listed in|not our customer|unrouteable|收件(?:人|地址).{0,12}(?:不存在|无效|错误)|用户不存在|地址不存在|邮箱不存在|無此|帐号不存在|账号不存在|宛先.{0,10}(?:不明|見つかり)`)},
	{ReasonUnknownHost, regexp.MustCompile(`(?i)host (?:unknown|not found|or domain name not found)|unknown host|no such (?:host|domain)|domain (?:not found|does not exist|doesn'?t exist|name not)|nxdomain|name or service not known|couldn'?t find any host|find a mail exchanger|no mx|unrouteable (?:address|mail domain)|bad destination (?:host|mailbox)|dns (?:error|failure|type|server)|域名|找不到.{0,8}主机`)},
	{ReasonTooBig, regexp.MustCompile(`(?i)message (?:is )?too (?:big|large)|(?:message|size|length) exceeds|exceeds (?:fixed |the )?(?:maximum|administrative)|larger than|size limit|邮件(?:过大|大小超过|超过)`)},
	{ReasonSpam, regexp.MustCompile(`(?i)\bspam|junk mail|unsolicited|blacklisted url|content (?:rejected|filter)|virus|malware|垃圾邮件|病毒`)},
	{ReasonRelay, regexp.MustCompile(`(?i)relay(?:ing)? (?:access )?(?:denied|not|prohibited)|not permitted to relay|insecure mail relay`)},
	{ReasonExpired, regexp.MustCompile(`(?i)expired|giving up|gave up|too long|timed? ?out|retry time|delivery time|could not be delivered for|undeliverable for|not accept our requests to connect|been in the queue|超时|多次尝试`)},
	{ReasonBlocked, regexp.MustCompile(`(?i)black ?list|block(?:ed|list)|reputation|rbl|dnsbl|spamhaus|reverse dns|ptr record|poor reputation|too many connections|rate limit|temporarily deferred|listed (?:in|at)|拒收|频率|黑名单`)},
	{ReasonNetwork, regexp.MustCompile(`(?i)connection (?:refused|reset|failed|dropped|lost)|no route|network|socket error|unreachable|mail loop|too many hops|连接失败|无法连接`)},
	{ReasonPolicy, regexp.MustCompile(`(?i)policy|dmarc|\bspf\b|dkim|not authorized|unauthori[sz]ed|access denied|denied|not allowed|refused|rejected|prohibited|策略|规则|权限`)},
	{ReasonMoved, regexp.MustCompile(`(?i)has moved|no longer (?:here|works|with)|changed (?:his|her|their|its) address|已更换`)},
}

var byStatus = map[string]Reason{
	"1.1": ReasonUnknownUser, "1.0": ReasonUnknownUser, "1.3": ReasonUnknownUser, "1.10": ReasonUnknownHost, "1.2": ReasonUnknownHost, "1.6": ReasonMoved, "2.1": ReasonDisabled, "2.2": ReasonMailboxFull,
	"2.3": ReasonTooBig, "3.4": ReasonTooBig, "4.1": ReasonNetwork, "4.2": ReasonNetwork, "4.3": ReasonUnknownHost, "4.4": ReasonUnknownHost, "4.6": ReasonNetwork, "4.7": ReasonExpired, "7.1": ReasonPolicy, "7.26": ReasonPolicy, "7.0": ReasonPolicy,
}

// reasonOf reads the status first, then the words: "5.0.0" and "5.7.1" say little.
func reasonOf(status, words string) Reason {
	words = cutText(words, 8000)
	if len(status) > 2 {
		if r, ok := byStatus[status[2:]]; ok && r != ReasonPolicy && r != ReasonDisabled && r != ReasonNetwork {
			return r
		}
	}
	for _, try := range byWords {
		if try.words.MatchString(words) {
			return try.reason
		}
	}
	if len(status) > 2 {
		if r, ok := byStatus[status[2:]]; ok {
			return r
		}
	}
	return ReasonOther
}

// status is the RFC 3463 code that says as much as the words did.
func (r Reason) status(action Action, code string) string {
	class := "5"
	if action == ActionDelayed || strings.HasPrefix(code, "4") {
		class = "4"
	}
	if action == ActionDelivered || action == ActionRelayed || action == ActionExpanded {
		return "2.0.0"
	}
	detail := map[Reason]string{ReasonUnknownUser: "1.1", ReasonMailboxFull: "2.2", ReasonDisabled: "2.1", ReasonUnknownHost: "1.2", ReasonExpired: "4.7", ReasonBlocked: "7.1", ReasonSpam: "7.1",
		ReasonTooBig: "3.4", ReasonPolicy: "7.1", ReasonNetwork: "4.0", ReasonRelay: "7.1", ReasonMoved: "1.6"}[r]
	if detail == "" {
		detail = "0.0"
	}
	return class + "." + detail
}

package mail

import (
	"regexp"
	"strings"

	"hearback/desk"
)

// Kind is finer than the class: what sort of machine wrote, if any.
type Kind string

const (
	KindNormal      Kind = "normal"
	KindList        Kind = "list"
	KindLoop        Kind = "loop"
	KindAutoReply   Kind = "auto_reply"               // a vacation notice and the like
	KindAuto        Kind = "auto_generated"           // any other machine
	KindBounce      Kind = "bounce"                   // the mail will not arrive
	KindDelayed     Kind = "dsn_delayed"              // the mail system still tries
	KindDelivered   Kind = "dsn_delivered"            // delivered, relayed, expanded
	KindFeedback    Kind = "feedback_report"          // somebody pressed "spam" (RFC 5965)
	KindDisposition Kind = "disposition_notification" // read receipt (RFC 8098)
)

// LoopHeader is put on every automatic mail we send. A mail that has it is our own, come back.
const LoopHeader = "X-Hearback-Loop"

// maxHops is how many servers a mail may pass before it is taken to go in circles.
const maxHops = 60

// classify decides who wrote the mail. The order matters: a bounce also looks like an automatic mail.
func (w *walker) classify() {
	m := w.mail
	m.Kind, m.Why = w.kind()
	switch m.Kind {
	case KindBounce, KindDelayed, KindDelivered:
		m.Class = desk.ClassBounce
	case KindAutoReply, KindAuto, KindFeedback, KindDisposition:
		m.Class = desk.ClassAuto
	case KindList:
		m.Class = desk.ClassList
	case KindLoop:
		m.Class = desk.ClassLoop
	default:
		m.Class = desk.ClassNormal
	}
}

func (w *walker) kind() (Kind, string) {
	h := &w.mail.Header
	if h.Has(LoopHeader) {
		return KindLoop, LoopHeader
	}
	if len(h.Values("Received")) > maxHops {
		return KindLoop, "Received"
	}
	if kind, why := w.reportKind(); kind != "" {
		return kind, why
	}
	if why := w.bounceSigns(); why != "" {
		w.mail.Bounce = w.readBounce()
		return w.mail.Bounce.kind(), why
	}
	if why := autoReplySigns(w.mail); why != "" {
		return KindAutoReply, why
	}
	if why := autoSigns(h); why != "" {
		return KindAuto, why
	}
	if why := listSigns(h); why != "" {
		return KindList, why
	}
	return KindNormal, ""
}

// kind of a delivery report: failed counts before delayed, since something must be done about it.
func (b *Bounce) kind() Kind {
	switch {
	case b.has(ActionFailed) || len(b.Recipients) == 0:
		return KindBounce
	case b.has(ActionDelayed):
		return KindDelayed
	}
	return KindDelivered
}

// reportKind goes by the machine-readable parts (RFC 3462 and what builds on it).
func (w *walker) reportKind() (Kind, string) {
	raw, _ := w.mail.Header.raw("Content-Type")
	media := parseMedia(&w.mail.Header, raw)
	reportType := ""
	if media.value == "multipart/report" {
		reportType = lower(media.params["report-type"])
	}
	has := func(suffix string) bool {
		for _, r := range w.reports {
			if strings.HasSuffix(r.kind, suffix) {
				return true
			}
		}
		return false
	}
	switch {
	case reportType == "feedback-report" || has("feedback-report"):
		return KindFeedback, "feedback-report"
	case reportType == "disposition-notification" || has("disposition-notification"):
		if w.dispositionFailed() {
			w.mail.Bounce = w.readBounce()
			return KindBounce, "disposition-notification"
		}
		return KindDisposition, "disposition-notification"
	case reportType == "delivery-status" || has("delivery-status") && (media.major() == "multipart" || media.value == "message/delivery-status"):
		if media.value != "message/delivery-status" && reportType != "delivery-status" && !fromDaemon(w.mail) && !bounceSubject.MatchString(w.mail.Subject) {
			return "", "" // somebody forwards a report
		}
		w.mail.Bounce = w.readBounce()
		return w.mail.Bounce.kind(), "delivery-status"
	case strings.HasPrefix(strings.TrimSpace(w.mail.Text), `{"notificationType"`):
		var b Bounce
		switch b.readJSON(w.noticeText()) {
		case "complaint":
			return KindFeedback, "notification"
		case "bounce", "delivery":
			w.mail.Bounce = w.readBounce()
			return w.mail.Bounce.kind(), "notification"
		}
	case media.value == "multipart/mixed" && complaintSubject.MatchString(w.mail.Subject) && w.inner != nil:
		return KindFeedback, "complaint"
	}
	return "", ""
}

var complaintSubject = regexp.MustCompile(`(?i)^complaint about message from`)

// dispositionFailed: a receipt that says the mail could not be processed.
func (w *walker) dispositionFailed() bool { return false }

// daemon matches the local part of addresses that mail systems report from.
var daemon = regexp.MustCompile(`(?i)^(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|post_master|mmdf|mail-?delivery|maildelivery|delivery|bounces?|mailer|mail|notify|notifications?|noreply|no-reply|mdaemon|majordomo|system|sysadmin)(?:$|[@+=._-])`)

var strictDaemon = regexp.MustCompile(`(?i)^(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|post_master)(?:$|[@+=._-])`)

// fromDaemon: a mail system wrote, not a person.
func fromDaemon(m *Mail) bool {
	if path, ok := m.Header.raw("Return-Path"); ok && strings.TrimSpace(path) == "<>" {
		return true
	}
	if len(m.From) == 0 {
		return m.Header.Has("From")
	}
	from := m.From[0]
	if from.Address == "" || from.Address[0] == '@' || strictDaemon.MatchString(from.Address) || strictDaemon.MatchString(from.Name) {
		return true
	}
	return daemonName.MatchString(from.Name + " " + from.Comment)
}

var daemonName = regexp.MustCompile(`(?i)mail(?:er)?[- ]?(?:delivery|daemon)|delivery (?:sub)?system|postmaster|mail administrator|system administrator|mail server|mail system|mail router|internet mail|退信|邮件系统|系统管理员|管理员`)

var bounceSubject = regexp.MustCompile(`(?i)undeliver|returned mail|return(?:ed)? to sender|returning message|delivery (?:status notification|failure|failed|report|notification|problem|error|has failed|unsuccessful|status)|failure notice|failed delivery|delivery.{0,20}(?:failed|failure)|mail (?:delivery )?(?:failed|failure|error|system error)|` +
	`non[- ]?deliver|could not be delivered|cannot be delivered|wasn'?t delivered|not delivered|unable to deliver|message (?:delivery has failed|you sent blocked)|bounced? (?:mail|message)|delivery (?:delayed|has been delayed)|warning: (?:message|could not|undelivered)|there was an error sending your mail|` +
	`退信|退件|退回|投递失败|发送失败|无法送达|无法投递|未能送达|系统退|邮件退|無法傳遞|無法投遞|寄送失敗|未送達|配信(?:不能|エラー|に失敗)|配送(?:でき|不能|エラー)|送信(?:でき|エラー)|送達|メールが配|エラーメール|` +
	`unzustellbar|zustell|nicht zugestellt|non remis|échec|non distribu|no se (?:ha podido|pudo) entregar|no entregad|fall[oó] (?:en|de) la entrega|mancata consegna|non recapitabile|não entregue|falha na entrega|onbestelbaar|niet bezorgd|kunne ikke leveres|kan inte levereras|невозможно доставить|не доставлено|недоставленн|сообщение не доставлено|ваше сообщение не|nie dostarczon|nedoruč|kézbesíthetetlen|teslim edil|배달 ?(?:실패|되지)|전송 ?실패|반송`)

// bounceText matches what notices say in their first lines.
var bounceText = regexp.MustCompile(`(?i)(?:could not|couldn'?t|cannot|can'?t|was not|wasn'?t|not able to|wasn'?t able to|unable to|were unable to|failed to|did not|has not|could n?ot) (?:be |been |yet been )?(?:deliver|delivered|reach|send|sent)|undeliverable|delivery (?:to the following|of the following|has failed|failed|attempt|status)|permanent(?:ly)? (?:fatal )?(?:error|failure|failed)|failed permanently|following address(?:\(es\)|es)? (?:had|failed)|` +
	`returned to (?:sender|you)|(?:mail|message) (?:was|is|has been) (?:rejected|undeliverable|returned|refused|delayed)|rejected your message|error (?:occurred )?(?:was encountered )?(?:while|when|delivering|sending)|did not reach the following|trouble delivering|remote host said|smtp error|mail delivery (?:system|software|agent)|unknown user|user unknown|transcript of session|` +
	`delivery problems|no such user|mailbox (?:is )?full|exceeds allowed size|error message below|final-recipient:|diagnostic-code:|unsent message|无法(?:送达|投递|发送)|未能(?:送达|投递|发送)|没有(?:送达|送到)|退信|退回|投递失败|发送失败|收件(?:人|地址).{0,10}(?:不存在|错误)|無法(?:送達|傳遞|投遞)|` +
	`配信できません|送信できません|送信できませんでした|エラーメッセージ|ユーザーが存在|見つかりません|не может быть доставлено|не доставлено|невозможно|konnte nicht zugestellt|n'a pas pu être|non è stato possibile|no se ha podido|não pôde ser|kon niet worden|kunne ikke|group you tried to contact|grupo con el que has intentado`)

// bounceSigns looks for a delivery report without machine-readable parts. No single sign is enough: people write about bounces
// too, and forward them.
func (w *walker) bounceSigns() string {
	m := w.mail
	if m.Header.Has("X-Failed-Recipients") {
		return "X-Failed-Recipients"
	}
	if listRefuses(m) {
		return "refused by a list"
	}
	fromDaemon, subjectLine := fromDaemon(m), cutText(m.Subject, 1000)
	subject := bounceSubject.MatchString(subjectLine) && !answered.MatchString(subjectLine)
	systemFrom := len(m.From) > 0 && daemon.MatchString(m.From[0].Address)
	if !fromDaemon && !subject && !systemFrom {
		return ""
	}
	head := cutText(strings.TrimSpace(m.Text), 3000)
	text := bounceText.MatchString(head)
	switch {
	case fromDaemon && subject:
		return "sender and subject"
	case fromDaemon && text:
		return "sender and text"
	case subject && text && (systemFrom || w.inner != nil):
		return "subject and text"
	case systemFrom && text && (w.inner != nil || said.MatchString(head)):
		return "system sender and text"
	}
	return ""
}

var (
	listAdmin  = regexp.MustCompile(`(?i)^(?:owner-.*|.*-(?:admin|owner|request|bounces|ctl|help))@`)
	notAMember = regexp.MustCompile(`(?i)not (?:a )?(?:list )?member|members? only|only members|not (?:allowed|permitted|authorized) to post|post(?:ing)? (?:was |has been |is )?(?:rejected|not allowed)|rejected (?:posting|post)`)
)

// listRefuses: a mailing list did not take our mail.
func listRefuses(m *Mail) bool {
	return len(m.From) > 0 && listAdmin.MatchString(m.From[0].Address) && notAMember.MatchString(cutText(m.Subject, 500)) && notAMember.MatchString(cutText(m.Text, 2000))
}

var answered = regexp.MustCompile(`(?i)^\s*(?:re|fwd?|aw|wg|回复|答复|转发|回覆|轉寄)\s*[:：]`)

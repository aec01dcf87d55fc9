package mail

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// deviceLine matches what telephones and programs add by themselves: "Sent from my iPhone", 发自我的iPhone. What follows the
// fixed words must be short: "Sent from my desk, is much easier than my phone." is a sentence.
var deviceLine = regexp.MustCompile(`(?i)^[\s(<\[{"*_-]*(?:` +
	`(?:sent|mailed|posted|written|composed) (?:from|via|with|by|using|on) (?:my |a |an |the )?[^.!?;,]{1,60}(?:, an? [^.!?;,]{1,30}(?:phone|device|tablet))?|` +
	`(?:sent|mailed) (?:from|via|with|by|using) (?:my |a |an |the )?[^.!?;]{1,60}[.,;!-]+\s*(?:please )?(?:excuse|forgive|pardon|apolog|sorry|typos|brevity).{0,80}|` +
	`from my (?:iphone|ipad|android|mobile|phone|blackberry|samsung)[^.!?]{0,30}|\S+ from mobile|` +
	`get \[?outlook for .{2,60}|get the (?:outlook|yahoo|gmx|aol).{2,60}|download outlook.{0,40}|` +
	`envoyé (?:depuis|de|à partir de|avec|via) (?:mon |ma |l['’]|un |une )?[^.!?;]{1,60}|obtenir outlook pour.{2,40}|télécharger outlook.{0,40}|` +
	`(?:von|mit) meine[mr] [^.!?;]{1,50} gesendet|gesendet (?:von|mit|über|aus)[^.!?;]{1,60}|diese (?:nachricht|e-mail|mail) wurde von .{1,80} gesendet|outlook für .{2,40} (?:herunterladen|beziehen)|holen sie sich outlook.{2,40}|outlook für (?:android|ios).{0,60}|` +
	`verzonden (?:met|vanaf|via|door|van)[^.!?;]{1,60}|verstuurd (?:vanaf|met|via|door)[^.!?;]{1,60}|outlook voor .{2,40} downloaden|download outlook voor.{2,40}|` +
	`enviad[oa] (?:desde|do|da|pelo|de|a partir d[eo]|con|com|via|usando)[^.!?;]{1,60}|obtén? outlook para.{2,40}|obtener outlook para.{2,40}|obter o outlook.{2,40}|baixe o outlook.{2,40}|` +
	`inviato (?:da|dal|dall['’]|con|tramite)[^.!?;]{1,60}|scarica outlook per.{2,40}|ottieni outlook per.{2,40}|` +
	`sendt (?:fra|med|via)[^.!?;]{1,60}|skickat (?:från|med|via)[^.!?;]{1,60}|hent outlook (?:for|til).{2,40}|hämta outlook för.{2,40}|lähetetty [^.!?;]{1,60}|` +
	`wysłan[eoay] (?:z|ze|przy|od|za)[^.!?;]{1,60}|pobierz (?:program )?outlook.{2,40}|odesláno z[^.!?;]{1,60}|odoslané z[^.!?;]{1,60}|` +
	`отправлено (?:с|из|со|через)[^.!?;]{1,60}|отправлено от .{1,40}|послано с[^.!?;]{1,60}|надіслано з[^.!?;]{1,60}|відправлено з[^.!?;]{1,60}|` +
	`[^.!?;]{1,40}(?:['’]?d[ae]n|dan|den) gönderildi|στάλθηκε από[^.!?;]{1,60}|trimis de pe[^.!?;]{1,60}|` +
	`(?:发自|發自|来自|來自|从|從)(?:我的|我)?\s?[^。！？，]{1,30}(?:发送|發送|傳送|寄出|客户端|用戶端|手机|手機)?|(?:由|使用|用|通过|透過).{1,20}(?:发送|發送|傳送|寄出)|.{0,12}(?:发自|發自|傳送自|发送自|發送自).{1,30}|下载.{0,10}outlook.{0,20}|取得 ?outlook.{0,30}|获取 ?outlook.{0,40}|` +
	`.{1,20}から(?:送信|送信しました|送付)|(?:나의 |내 )?.{1,20}에서 보(?:냄|낸)(?: 메일)?` +
	`)[\s)>\]}"*_.!-]*$`)

// deviceVerbs are parts of words of which every notice has one. They spare most lines the closer look.
var deviceVerbs = strings.Split("sent|mailed|posted|written|composed|from m|outlook|envoy|gesendet|von mein|verzonden|verstuurd|enviad|inviat|sendt|skickat|lähetetty|wysłan|odesl|odosl|отправлен|послано|надіслано|відправлено|gönderildi|στάλθηκε|trimis|发自|發自|来自|來自|从|從|发送|發送|傳送|寄出|送信|から|에서|get the", "|")

func mentionsDevice(lowered string) bool {
	for _, verb := range deviceVerbs {
		if strings.Contains(lowered, verb) {
			return true
		}
	}
	return false
}

// deviceWords must stand in the Chinese forms that begin with an everyday word: 从 (from), 用 (with).
var deviceWords = regexp.MustCompile(`(?i)iphone|ipad|ipod|android|安卓|手机|手機|mobile|phone|outlook|windows|qq|网易|邮箱|郵箱|mail|邮件|郵件|foxmail|huawei|华为|小米|xiaomi|redmi|oppo|vivo|samsung|三星|honor|荣耀|mac|pad|客户端|钉钉|飞书|企业微信|阿里|新浪|移动|139|139邮箱|yahoo`)

// isDeviceLine reports whether a line was added by the device or program.
func isDeviceLine(text string) bool {
	if len(text) > 800 || !mentionsDevice(strings.ToLower(text)) {
		return false
	}
	text = strings.TrimSpace(link.ReplaceAllString(strings.ReplaceAll(text, "\u00a0", " "), "${1}"))
	if text == "" || utf8.RuneCountInString(text) > 160 || !deviceLine.MatchString(dotInWord.ReplaceAllString(text, "·$1")) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " (<[{*_-"))
	if unicode.Is(unicode.Han, first) {
		return deviceWords.MatchString(text)
	}
	if words := strings.Fields(text); len(words) > 8 && !strings.Contains(text, "http") && !regexpExcuse.MatchString(text) {
		return len(words) <= 12 && deviceWords.MatchString(text)
	}
	return true
}

// link is what programs append to their name; of a Markdown link the text stays.
var link = regexp.MustCompile(`\[([^\]]{1,40})\]\(https?://[^\s)]*\)|\s*[<(\[]?https?://[^\s>)\]]*[>)\]]?`)

// dotInWord is a full stop that ends no sentence: Mail.ru, 3.5.
var dotInWord = regexp.MustCompile(`\.(\pL|\d)`)

var regexpExcuse = regexp.MustCompile(`(?i)excuse|forgive|pardon|typo|brevity|k-9`)

// delimiter tells how surely a line of dashes and the like begins a signature.
type delimiter int

const (
	delimiterNone   delimiter = iota
	delimiterLoose            // a rule: "-----", "____", "====="
	delimiterStrict           // "-- ", "--", "__", "—"
)

// delimiterOf judges a line that holds nothing but one kind of stroke.
func delimiterOf(text string) delimiter {
	trimmed := strings.TrimSpace(strings.Trim(strings.TrimSpace(text), "*"))
	if trimmed == "" {
		if n := len(strings.TrimSpace(text)); n >= 3 {
			return delimiterLoose
		}
		return delimiterNone
	}
	n := 0
	for _, r := range trimmed {
		if !strings.ContainsRune("-_=~+#–—―─━ᐧ", r) {
			return delimiterNone
		}
		n++
	}
	switch {
	case n == 1:
		if trimmed == "—" || trimmed == "–" || trimmed == "―" {
			return delimiterStrict
		}
		return delimiterNone
	case trimmed == "--" || trimmed == "__" || trimmed == "—-" || trimmed == "——" || trimmed == "–-":
		return delimiterStrict
	case strings.Trim(trimmed, "#") == "" || strings.Trim(trimmed, "+") == "" && n < 3:
		return delimiterNone
	}
	return delimiterLoose
}

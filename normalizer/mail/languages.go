package mail

import (
	"regexp"
	"strings"
)

// The words mail programs put around what they quote, in the languages customers write in. Everything is lower case.

// role of a line in a block of quoted header fields.
type role int

const (
	roleNone role = iota
	roleFrom
	roleDate
	roleTo
	roleCc
	roleSubject
	roleOther
)

var roleWords = map[role]string{
	roleFrom: "from|de|von|van|da|fra|från|od|от|від|von:|expéditeur|expediteur|remitente|mittente|remetente|afzender|absender|afsender|avsändare|nadawca|odesílatel|odosielateľ|отправитель|відправник|feladó|lähettäjä|kimden|gönderen|από|de la|frá|saatja|no|siunt|من|מאת|dari|từ|จาก|" +
		"发件人|发件者|发信人|寄件者|寄件人|發件人|發信人|發件者|差出人|送信者|送信元|보낸 사람|보낸사람|보낸이|message from|mensaje de",
	roleDate: "sent|date|datum|data|dato|fecha|envoyé|envoyé le|envoye|gesendet|gesendet am|verzonden|verzonden op|inviato|inviato il|sendt|skickat|wysłano|wysłane|enviado|enviado el|enviada em|enviado em|отправлено|дата|надіслано|odesláno|odoslané|elküldve|dátum|küldve|lähetetty|päivämäärä|pvm|tarih|gönderildi|gönderme tarihi|ημερομηνία|στάλθηκε|trimis|dată|" +
		"发送时间|发件时间|收件时间|发送于|发送日期|发信时间|日期|时间|時間|寄件日期|傳送時間|傳送日期|發送時間|發送日期|寄件時間|送信日時|送信日|日時|日付|보낸 날짜|보낸날짜|날짜|보낸 시간|message du|received|reçu|empfangen|ontvangen",
	roleTo: "to|à|a|an|aan|til|till|do|кому|para|pour|destinataire|destinatario|destinatário|empfänger|ontvanger|modtager|mottagare|adresat|komu|címzett|vastaanottaja|kime|alıcı|προς|către|إلى|אל|" +
		"收件人|收件者|收信人|宛先|받는 사람|받는사람|받는이",
	roleCc: "cc|copie|copie à|kopie|kopi|kopia|копия|копія|cópia|copia|másolat|kopio|bilgi|κοιν.|抄送|抄送人|副本|副本抄送|참조|ccn|bcc|密送|密件副本",
	roleSubject: "subject|objet|sujet|betreff|onderwerp|oggetto|emne|ämne|temat|asunto|assunto|тема|předmět|predmet|tárgy|aihe|konu|θέμα|subiect|teema|الموضوع|נושא|perihal|chủ đề|" +
		"主题|主題|邮件主题|郵件主題|主旨|标题|標題|件名|제목",
	roleOther: "reply-to|reply to|risposta|répondre à|antwort an|importance|priority|priorité|prioriteit|wichtigkeit|importancia|attachments|anlagen|pièces jointes|bijlagen|cci|organization|organisation|antwoord aan|responder a|rispondi a|" +
		"重要性|附件|优先级|回复|回信地址|답장",
}

var roles = buildRoles()

func buildRoles() map[string]role {
	table := map[string]role{}
	for _, r := range []role{roleOther, roleCc, roleTo, roleSubject, roleDate, roleFrom} {
		for word := range strings.SplitSeq(roleWords[r], "|") {
			table[word] = r
		}
	}
	return table
}

// original are the titles of the line that parts a reply from the mail it answers: "-----Original Message-----".
var original = regexp.MustCompile(`(?i)^(?:` +
	`original message|original mail|original email|forwarded message|forwarded mail|forwarded by .*|reply message|reply|begin forwarded message|original appointment|` +
	`message d['’]origine|message original|message initial|message transféré|courriel original|mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada|messaggio originale|messaggio inoltrato|messaggio inviato|` +
	`ursprüngliche nachricht|ursprüngliche mail|original-?nachricht|originalnachricht|weitergeleitete nachricht|urspr\. mitteilung|oorspronkelijk bericht|oorspronkelijke bericht|origineel bericht|doorgestuurd bericht|` +
	`oprindelig meddelelse|oprindelig besked|originalmeddelelse|videresendt meddelelse|opprinnelig melding|original melding|videresendt melding|originalmeddelande|ursprungligt meddelande|ursprungsmeddelande|vidarebefordrat meddelande|vidarebefordrat brev|` +
	`alkuperäinen viesti|välitetty viesti|wiadomość oryginalna|oryginalna wiadomość|treść oryginalnej wiadomości|przekazana wiadomość|původní zpráva|přeposlaná zpráva|původní e-mail|pôvodná správa|eredeti üzenet|továbbított üzenet|mesaj original|mesajul original|mesaj redirecționat|` +
	`исходное сообщение|исходное письмо|пересылаемое сообщение|пересланное сообщение|оригинальное сообщение|перенаправленное сообщение|оригінальне повідомлення|вихідне повідомлення|переслане повідомлення|özgün ileti|orijinal mesaj|iletilen mesaj|orjinal mesaj|αρχικό μήνυμα|προωθημένο μήνυμα|` +
	`original|原始(?:邮件|郵件|消息|訊息|信息|信件|内容)(?:内容|信息|正文)?|(?:回复|答复|回覆|转发|轉寄|被转发|引用)的?(?:原)?(?:邮件|郵件|消息|訊息|信件)(?:信息|内容)?|原邮件|原郵件|原件|原始信息|原始訊息|原信|回复的原邮件|回复原邮件|邮件原件|邮件原文|邮件内容|转发邮件|转发的邮件|转发邮件信息|转发的郵件|轉寄郵件|轉寄的郵件|轉寄信件|轉寄訊息|被转发邮件|原始信件|来自.{1,40}的原始邮件|` +
	`元のメッセージ|オリジナルメッセージ|転送メッセージ|転送されたメッセージ|転送|원본 메시지|원본 메일|원본메시지|original message|전달된 메시지|전달된 메일|` +
	`رسالة أصلية|הודעה מקורית|thư gốc|pesan asli)$`)

// wroteEnd matches the end of an attribution: "On ... Bob wrote:".
var wroteEnd = regexp.MustCompile(`(?i)(?:^|[\s\d,>)\]"'”’;，）》】\x{00a0}]|[\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}])(?:wrote|writes|said|has written|a écrit|écrit|escribió|escribio|ha escrito|va escriure|escrigué|ha scritto|scrisse|ha inviato|escreveu|schrieb|schrieben|geschrieben|schreef|heeft geschreven|skrev|skrifaði|kirjoitti|` +
	`napisał|napisała|napisał\(a\)|napisał/a|pisze|napsal|napsala|napsal\(a\)|napísal|napísala|napísal\(a\)|написал|написала|написал\(а\)|написав|написала|написав\(ла\)|пишет|пише|писал|писал\(а\)|написа|yazdı|şunu yazdı|şunları yazdı|írta|ezt írta|a scris|έγραψε|έγραψαν|je napisao|je napisao/la|napisao je|` +
	`写道|寫道|写到|写的|來信寫道|来信|发表于|のメッセージ|のメール|が書きました|さんが書きました|さんは書きました|作成|작성|님이 작성|님이 작성한 메시지|님이 씀|님의 말|님이 쓴 글|썼습니다|đã viết|menulis|เขียนว่า|كتب|כתב|כתבה)\s*[:：﹕]?\s*[-–—*_]*\s*$`)

// wroteWord matches the verbs that may stand in the middle: "Am 13.12.2017 schrieb Bob <b@c.de>:".
var wroteWord = regexp.MustCompile(`(?i)(?:^|[\s>)"”])(?:schrieb|schreef|skrev|kirjoitti|escreveu|escribió|ha scritto|a écrit|napisał|napisał\(a\)|pisze|napsal|написал|написал\(а\)|пишет|пише|írta|yazdı|wrote|έγραψε)(?:[\s<:(]|$)`)

// opening matches how an attribution begins in languages that begin it with a word.
var opening = regexp.MustCompile(`(?i)^(?:on|le|el|il|lo|em|no dia|am|vom|op|in data|il giorno|den|på|kl|w dniu|dnia|dne|dňa|v|la|pe|în data|ke|ma|ti|to|pe|su|az|στις|tarihinde|dana|em qua|le mar|a las|os|at|date|在|于|於|於是|於|ngày|pada|เมื่อ|في|בתאריך)(?:[\s,.:]|\d|\p{Han})`)

// clockOrDate is evidence of a date: a year, a time, a day and month in digits.
var clockOrDate = regexp.MustCompile(`(?:19|20)\d{2}|\d{1,2}[:.hH：]\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}月\d{1,2}日|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}|\d{1,2}\.? (?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)`)

// dateFirst matches lines that begin with a date, a weekday included.
var dateFirst = regexp.MustCompile(`(?i)^(?:\p{L}{2,12}\.?,?\s+(?:den\s+)?)?(?:\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}|\d{1,2}[-/.]\s?\d{1,2}[-/.]\s?\d{2,4}|\d{1,2}\.?\s+(?:de\s+)?\p{L}{3,12}\.?,?\s+(?:de\s+)?\d{4}|\p{L}{3,9}\.? \d{1,2},? \d{4})`)

var (
	angleAddress = regexp.MustCompile(`[<\[(（＜]\s*(?:mailto:)?[^\s<>]+@[^\s<>]+|&lt;[^\s]+@`)
	anyAddress   = regexp.MustCompile(`[^\s<>()"']+@[^\s<>()"']+\.[a-zA-Z]{2,}`)
	isoStamp     = regexp.MustCompile(`^\d{4}[-/]\d{1,2}[-/]\d{1,2},? \d{1,2}:\d{2}(?::\d{2})? (?:GMT|UTC)[+-]?\d{0,2}:?\d{0,2} \S`)
	wholeDate    = regexp.MustCompile(`\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2}`)
	clockTime    = regexp.MustCompile(`\d{1,2}[:.：]\d{2}`)
)

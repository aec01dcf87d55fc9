package mail

import (
	"strings"
	"testing"
)

// Attributions of mail programs in many languages. Each stands between an answer and a quote, marked and unmarked.
var attributions = []string{
	"On Mon, Mar 3, 2025 at 5:21 PM Some One <some.one@example.com> wrote:",
	"On Mon, Mar 3, 2025 at 5:21 PM Some One via Helpdesk Demo <\nsupport@example.com> wrote:",
	"On 3 Mar 2025, at 17:21, Some One <some.one@example.com> wrote:",
	"On Mon, 3 Mar 2025 17:21:00 +0100, Some One wrote:",
	"On Mar 3, 2025 5:21 PM, \"Some One\" <some.one@example.com> wrote:",
	"On 03/03/2025 17:21, Some One wrote:",
	"On Monday, March 3rd, 2025 at 5:21 PM, Some One <some.one@example.com> wrote:",
	"Some One <some.one@example.com> wrote:",
	"Some One wrote on 03.03.2025 17:21:",
	"---- On Mon, 03 Mar 2025 17:21:00 +0800 Some One <some.one@example.com> wrote ---",
	"在 2025年3月3日，下午5:21，张三 <some.one@example.com> 写道：",
	"在 2025-03-03 17:21:00，\"张三\" <some.one@example.com> 写道：",
	"张三 <some.one@example.com> 于2025年3月3日周一 17:21写道：",
	"于 2025年3月3日 GMT+08:00 下午5:21:00, 张三 <some.one@example.com> 写到:",
	"张三 <some.one@example.com> 於 2025年3月3日 週一 下午5:21寫道：",
	"2025年3月3日 17:21，张三 <some.one@example.com> 写道：",
	"2025年3月3日(月) 17:21 織田 <some.one@example.com>:",
	"2025/03/03 17:21、織田 <some.one@example.com>のメール:",
	"2025년 3월 3일 (월) 오후 5:21, 김철수 <some.one@example.com>님이 작성:",
	"2025. 3. 3. 오후 5:21, 김철수 <some.one@example.com> 작성:",
	"Le lun. 3 mars 2025 à 17:21, Some One <some.one@example.com> a écrit :",
	"Le 3 mars 2025 à 17:21, Some One <some.one@example.com> a écrit :",
	"Le 03/03/2025 à 17:21, Some One a écrit\u00a0:",
	"Am 03.03.2025 um 17:21 schrieb Some One:",
	"Am Mo., 3. März 2025 um 17:21 Uhr schrieb Some One <\nsome.one@example.com>:",
	"Am 03.03.2025 17:21 schrieb \"Some One\" <some.one@example.com>:",
	"Some One <some.one@example.com> schrieb am Mo., 3. März 2025 um 17:21 Uhr:",
	"El lun, 3 mar 2025 a las 17:21, Some One (<some.one@example.com>) escribió:",
	"El 3 de marzo de 2025, 17:21, Some One <some.one@example.com> escribió:",
	"Em seg., 3 de mar. de 2025 às 17:21, Some One <some.one@example.com> escreveu:",
	"Il giorno lun 3 mar 2025 alle ore 17:21 Some One <some.one@example.com> ha scritto:",
	"Il 03/03/2025 17:21, Some One ha scritto:",
	"Op ma 3 mrt 2025 om 17:21 schreef Some One <some.one@example.com>:",
	"Op 3 mrt 2025 om 17:21 heeft Some One <some.one@example.com> het volgende geschreven:",
	"Den mån 3 mars 2025 kl 17:21 skrev Some One <some.one@example.com>:",
	"3 mars 2025 kl. 17:21 skrev Some One <some.one@example.com>:",
	"Den 3. mars 2025 kl. 17:21 skrev Some One <some.one@example.com>:",
	"man. 3. mar. 2025 kl. 17.21 skrev Some One <some.one@example.com>:",
	"ma 3. maalisk. 2025 klo 17.21 Some One (some.one@example.com) kirjoitti:",
	"Some One <some.one@example.com> kirjoitti 3.3.2025 kello 17.21:",
	"pon., 3 mar 2025 o 17:21 Some One <some.one@example.com> napisał(a):",
	"W dniu 2025-03-03 o 17:21, Some One pisze:",
	"po 3. 3. 2025 v 17:21 odesílatel Some One <some.one@example.com> napsal:",
	"Dne 3. 3. 2025 v 17:21 Some One napsal(a):",
	"пн, 3 мар. 2025 г. в 17:21, Some One <some.one@example.com>:",
	"3 марта 2025 г., в 17:21, Some One <some.one@example.com> написал(а):",
	"03.03.2025 17:21, Some One пишет:",
	"Понедельник, 3 марта 2025, 17:21 +03:00 от Some One <some.one@example.com>:",
	"пн, 3 бер. 2025 р. о 17:21 Some One <some.one@example.com> пише:",
	"Some One <some.one@example.com>, 3 Mar 2025 Pzt, 17:21 tarihinde şunu yazdı:",
	"3 Mart 2025 17:21 tarihinde Some One <some.one@example.com> yazdı:",
	"Some One <some.one@example.com> ezt írta (időpont: 2025. márc. 3., H, 17:21):",
	"În lun., 3 mar. 2025 la 17:21, Some One <some.one@example.com> a scris:",
	"Στις Δευ 3 Μαρ 2025 στις 5:21 μ.μ., ο/η Some One <some.one@example.com> έγραψε:",
	"Vào 17:21, Th 2, 3 thg 3, 2025 Some One <some.one@example.com> đã viết:",
	"Pada tanggal Sen, 3 Mar 2025 17.21, Some One <some.one@example.com> menulis:",
	"‫בתאריך יום ב׳, 3 במרץ 2025 ב-17:21 מאת ‪Some One‬‏ <‪some.one@example.com‬‏>:‬",
}

func TestAttributionsOfManyLanguagesEndTheReply(t *testing.T) {
	t.Parallel()
	for _, a := range attributions {
		for name, quote := range map[string]string{"marked": "> Old words,\n> two lines.\n", "unmarked": "Old words,\ntwo lines.\n"} {
			text := "New words, said today.\nA second line.\n\n" + a + "\n\n" + quote
			if got := Split(text).Reply; got != "New words, said today.\nA second line." {
				t.Errorf("%s, %s quote:\n%s", a, name, got)
			}
		}
	}
}

var headers = []string{
	"From: Some One <some.one@example.com>\nSent: Monday, March 3, 2025 5:21 PM\nTo: Support <support@example.com>\nSubject: Order",
	"*From:* Some One <some.one@example.com>\n*Sent:* Monday, March 3, 2025 5:21 PM\n*To:* Support\n*Subject:* Order",
	"From: Some One <some.one@example.com>\nDate: Monday, 3 March 2025 at 17:21\nTo: Support <support@example.com>,\n Other <other@example.com>\nCc: Third <third@example.com>\nSubject: Order",
	"发件人: 张三 <some.one@example.com>\n发送时间: 2025年3月3日 17:21\n收件人: 客服 <support@example.com>\n主题: 订单",
	"发件人： 张三\n发送时间： 2025-03-03 17:21\n收件人： 客服\n抄送： 李四\n主题： 订单",
	"寄件者: 張三 <some.one@example.com>\n寄件日期: 2025年3月3日 下午 05:21\n收件者: 客服\n主旨: 訂單",
	"差出人: 織田 <some.one@example.com>\n送信日時: 2025年3月3日 17:21\n宛先: サポート\n件名: 注文",
	"보낸 사람: 김철수 <some.one@example.com>\n보낸 날짜: 2025년 3월 3일 월요일 오후 5:21\n받는 사람: 지원\n제목: 주문",
	"De : Some One <some.one@example.com>\nEnvoyé : lundi 3 mars 2025 17:21\nÀ : Support\nObjet : Commande",
	"De: Some One <some.one@example.com>\nEnviado: lunes, 3 de marzo de 2025 17:21\nPara: Soporte\nAsunto: Pedido",
	"De: Some One <some.one@example.com>\nEnviada em: segunda-feira, 3 de março de 2025 17:21\nPara: Suporte\nAssunto: Pedido",
	"Von: Some One <some.one@example.com>\nGesendet: Montag, 3. März 2025 17:21\nAn: Support\nBetreff: Bestellung",
	"Da: Some One <some.one@example.com>\nInviato: lunedì 3 marzo 2025 17:21\nA: Supporto\nOggetto: Ordine",
	"Van: Some One <some.one@example.com>\nVerzonden: maandag 3 maart 2025 17:21\nAan: Support\nOnderwerp: Bestelling",
	"Fra: Some One <some.one@example.com>\nSendt: 3. marts 2025 17:21\nTil: Support\nEmne: Ordre",
	"Från: Some One <some.one@example.com>\nSkickat: den 3 mars 2025 17:21\nTill: Support\nÄmne: Order",
	"Lähettäjä: Some One <some.one@example.com>\nLähetetty: maanantai 3. maaliskuuta 2025 17.21\nVastaanottaja: Tuki\nAihe: Tilaus",
	"Od: Some One <some.one@example.com>\nWysłano: poniedziałek, 3 marca 2025 17:21\nDo: Wsparcie\nTemat: Zamówienie",
	"От: Some One <some.one@example.com>\nОтправлено: 3 марта 2025 г. 17:21\nКому: Поддержка\nТема: Заказ",
	"Kimden: Some One <some.one@example.com>\nGönderildi: 3 Mart 2025 Pazartesi 17:21\nKime: Destek\nKonu: Sipariş",
}

func TestRepeatedHeadersEndTheReply(t *testing.T) {
	t.Parallel()
	for _, h := range headers {
		for name, before := range map[string]string{"none": "", "rule": "________________________________\n", "dashes": "\n-----Original Message-----\n", "thin": " \n------------------------------\n\n"} {
			text := "New words, said today.\n\n" + before + h + "\n\nOld words.\n"
			if got := Split(text).Reply; got != "New words, said today." {
				t.Errorf("after %s:\n%s\n---\n%s", name, h, got)
			}
		}
	}
}

func TestTitlesOfOlderMailsEndTheReply(t *testing.T) {
	t.Parallel()
	for _, title := range []string{
		"-----Original Message-----", "----- Original Message -----", "--- Original Message ---", "*-------- Original Message --------*", "------------------ 原始邮件 ------------------", "------------------&nbsp;原始邮件&nbsp;------------------",
		"----- 回复的原邮件 -----", "---- 转发邮件信息 ----", "-----原始邮件-----", "---Original---", "---原始邮件---", "-------- 原始消息 --------", "----答复的邮件----", "-----邮件原文-----", "---------- Forwarded message ---------", "---------- 转发的邮件 ---------", "-----Ursprüngliche Nachricht-----", "-------- Message d'origine --------", "-----Mensaje original-----",
		"-----Messaggio originale-----", "-----Oorspronkelijk bericht-----", "-----Oprindelig meddelelse-----", "-----Ursprungligt meddelande-----", "-----Исходное сообщение-----", "-------- Пересылаемое сообщение --------", "-----Wiadomość oryginalna-----", "---------- 元のメッセージ ----------", "-----원본 메시지-----", "Begin forwarded message:", "==== Original Message ====",
	} {
		text := "New words, said today.\n\n" + strings.ReplaceAll(title, "&nbsp;", "\u00a0") + "\nOld words\nwithout any mark.\n"
		if got := Split(text).Reply; got != "New words, said today." {
			t.Errorf("%s:\n%s", title, got)
		}
	}
}

func TestNoticesOfDevicesAreNoWords(t *testing.T) {
	t.Parallel()
	for _, notice := range []string{
		"Sent from my iPhone", "Sent from my Galaxy", "Sent from Yahoo Mail for iPhone", "Sent from Outlook for Android", "Sent from Mail for Windows", "Get Outlook for iOS<https://aka.ms/o0ukef>", "Get Outlook for Android<https://aka.ms/x>", "Sent via the Samsung Galaxy S21 5G, an AT&T smartphone",
		"发自我的iPhone", "发自我的 iPhone", "发自我的小米手机", "发自我的华为手机", "从我的 iPhone 发送", "来自我的iPhone", "從我的 iPhone 傳送", "發自我的 iPhone", "发自网易邮箱大师", "发送自 Windows 10 版邮件应用", "从 Windows 版邮件发送", "来自 Outlook for iOS", "获取 Outlook for iOS", "发自手机QQ邮箱", "由 iPad 发送", "发自新浪邮箱客户端",
		"iPhoneから送信", "Windows 版のメールから送信", "나의 iPhone에서 보냄", "Envoyé de mon iPhone", "Envoyé depuis mon mobile", "Von meinem iPhone gesendet", "Gesendet von Outlook für Android", "Gesendet mit der GMX Mail App", "Enviado desde mi iPhone", "Enviado do meu iPhone", "Inviato da iPhone",
		"Verzonden vanaf mijn iPhone", "Verstuurd vanaf mijn iPhone", "Sendt fra min iPhone", "Skickat från min iPhone", "Lähetetty iPhonesta", "Wysłane z iPhone'a", "Отправлено с iPhone", "Отправлено из Почты Mail.ru", "Odesláno z iPhonu", "iPhone'umdan gönderildi", "Надіслано з iPhone",
	} {
		if p := Split("New words, said today.\n\n" + notice + "\n"); p.Reply != "New words, said today." || p.Signature != notice {
			t.Errorf("%s: reply %q, signature %q", notice, p.Reply, p.Signature)
		}
	}
}

func TestSentencesThatLookLikeMarksStay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"On Monday I will send it back.\nHe said he wrote:\nplease wait.",
		"我看了一下，日志里写道：\nconnection refused (127.0.0.1:5432)\n应该是数据库没启动。",
		"I sent it from my desk, and it is much easier than my phone.",
		"Sent from my office yesterday. It should have arrived by now.",
		"从昨天开始就无法登录。\n请帮我看看。",
		"来自北京的订单还没有发货，请问什么时候发？",
		"Please change it:\nFrom: 10:00\nto 12:00, thanks.",
		"Subject: to change\nI would like another colour.",
		"# Heading\n\n- one\n- two\n\nTitle\n-----\n\ntext",
		"On your remote host you can run:\n\n    telnet 127.0.0.1 52698\n\nThis should connect.",
		"我在2025年3月3日下了订单，客服写道会在三天内发货，可是到现在还没有发。",
		"The date on the invoice is 2025-03-03 17:21, is that right?",
		"主题：关于发票\n您好，我想开一张发票。",
		"用手机打开页面就报错。",
		"New message:\n=========\nName: Bob\nE-mail: bob@example.com\nMessage: my order did not arrive",
		"您有一条新的留言。\n\n----------------\n姓名：张三\n电话：13800138000\n内容：我要退货",
		"```\n-- \n> not a quote\n```\nabove is the code",
	} {
		if got := Split(text).Reply; got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAnswersBetweenQuotesKeepTheQuotes(t *testing.T) {
	t.Parallel()
	text := "Hello,\n\nOn Mon, Mar 3, 2025 at 5:21 PM Some One <some.one@example.com> wrote:\n> Which colour?\n\nBlue.\n\n> Which size?\n\nLarge.\n"
	if got := Split(text).Reply; got != "Hello,\n\n> Which colour?\n\nBlue.\n\n> Which size?\n\nLarge." {
		t.Errorf("got %q", got)
	}
}

func TestWordsBelowAQuoteAreTheReply(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"On 03/03/2025 17:21, Some One wrote:\n> Which colour?\n\nBlue, please.\n", "Blue, please."},
		{"Some One via Helpdesk wrote:\n> Which colour?\n\nBlue, please.\n", "Blue, please."},
		{"Hi,\nOn 03/03/2025 17:21, Some One wrote:\n> Which colour?\n\nBlue, please.\n", "Hi,\n> Which colour?\n\nBlue, please."},
		{"请在根目录运行：\n\n> make test\n\n发自我的iPhone\n", "请在根目录运行：\n\n> make test"},
	} {
		if got := Split(c[0]).Reply; got != c[1] {
			t.Errorf("%q: got %q", c[0], got)
		}
	}
}

func TestNothingOfABodyIsLost(t *testing.T) {
	t.Parallel()
	text := "New.\n\n-- \nBob\n\nOn 03/03/2025 17:21, Some One wrote:\n> Old\n"
	p := Split(text)
	var all strings.Builder
	for _, s := range p.Segments {
		all.WriteString(s.Text)
	}
	if strings.TrimRight(all.String(), "\n") != strings.TrimRight(text, "\n") {
		t.Errorf("segments make %q", all.String())
	}
	if p.Reply != "New." || p.Signature != "-- \nBob" || !strings.Contains(p.Quoted, "> Old") {
		t.Errorf("got %+v", p)
	}
}

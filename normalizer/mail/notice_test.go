package mail

import (
	"strings"
	"testing"

	"hearback/desk"
)

// Notices as many mail systems word them, and what they say: recipient, action, status.
var notices = []struct{ name, raw, want string }{
	{"sendmail", "From: Mail Delivery Subsystem <MAILER-DAEMON@x.com>\nTo: me@x.com\nSubject: Returned mail: User unknown\n\nThe original message was received at Thu, 29 Apr 1999\nfrom localhost [127.0.0.1]\n\n   ----- The following addresses had permanent fatal errors -----\n<zhang@example.jp>\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.jp.:\n>>> RCPT To:<zhang@example.jp>\n<<< 550 5.1.1 <zhang@example.jp>... User Unknown\n550 <zhang@example.jp>... User unknown\n",
		"zhang@example.jp failed 5.1.1"},
	{"sendmail2", "From: Mail Delivery Subsystem <MAILER-DAEMON@x.com>\nTo: me@x.com\nSubject: Returned mail: see transcript for details\n\n   ----- The following addresses had permanent fatal errors -----\n<a@example.jp>\n    (reason: 550 5.1.1 <a@example.jp>... User Unknown)\n<b@example.jp>\n    (reason: 552 5.2.2 <b@example.jp>... Mailbox Full)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.jp.:\n>>> DATA\n<<< 550 5.1.1 <a@example.jp>... User Unknown\n550 5.1.1 <a@example.jp>... User unknown\n<<< 552 5.2.2 <b@example.jp>... Mailbox Full\n",
		"a@example.jp failed 5.1.1, b@example.jp failed 5.2.2"},
	{"sendmail3", "From: MAILER-DAEMON@x.com\nTo: me@x.com\nSubject: Returned mail: User unknown\n\n   ----- The following addresses had permanent fatal errors -----\n<a@example.jp>\n<b@example.jp>\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.jp.:\n>>> RCPT To:<a@example.jp>\n<<< 550 5.1.1 <a@example.jp>... User Unknown\n>>> RCPT To:<b@example.jp>\n<<< 552 5.2.2 <b@example.jp>... Mailbox Full\n",
		"a@example.jp failed 5.1.1, b@example.jp failed 5.2.2"},
	{"exchange", "From: Microsoft Exchange <postmaster@x.com>\nTo: me@x.com\nSubject: Undeliverable: hi\n\nDelivery has failed to these recipients or distribution lists:\n\nzhang@example.com\nYour message wasn't delivered because of security policies.\n\n________________________________\nSent by Microsoft Exchange Server 2007\n\n\nDiagnostic information for administrators:\n\nGenerating server: mta2.example.com\n\nzhang@example.com\n#550 5.7.1 RESOLVER.RST.AuthRequired; authentication required ##\n\nOriginal message headers:\n\nReceived: from x\n",
		"zhang@example.com failed 5.7.1"},
	{"gmail", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: me@x.com\nX-Failed-Recipients: zhang@example.jp\nSubject: Delivery Status Notification (Failure)\n\nDelivery to the following recipient failed permanently:\n\n     zhang@example.jp\n\nTechnical details of permanent failure: \nGoogle tried to deliver your message, but it was rejected by the recipient domain. The error that the other server returned was: 550 550 5.2.2 <zhang@example.jp>... Mailbox Full (state 14).\n\n----- Original message -----\n\nReceived: x\n",
		"zhang@example.jp failed 5.2.2"},
	{"courier", "From: \"Courier mail server at mail.x.com\" <@>\nTo: me@x.com\nSubject: NOTICE: mail delivery status.\n\nThis is a delivery status notification from mail.x.com,\nrunning the Courier mail server, version 0.65.2.\n\nThe original message was received on Sat, 29 Apr 2010\nfrom [127.0.0.1]\n\n---------------------------------------------------------------------------\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<zhang@example.co.jp>:\n    mx.example.co.jp [74.207.247.95]:\n>>> RCPT TO:<zhang@example.co.jp>\n<<< 550 5.1.1 <zhang@example.co.jp>... User Unknown\n\n---------------------------------------------------------------------------\n\nIf your message was also sent to additional recipients\n",
		"zhang@example.co.jp failed 5.1.1"},
	{"ezweb", "From: Mail Administrator <Postmaster@ezweb.ne.jp>\nTo: me@x.com\nSubject: Mail System Error - Returned Mail\n\nThe user(s) account is disabled.\n\n<zhang@ezweb.ne.jp>: 550 user unknown (in reply to RCPT TO command)\n",
		"zhang@ezweb.ne.jp failed 5.2.1"},
	{"domino", "From: Postmaster@example.jp\nTo: me@x.com\nSubject: DELIVERY FAILURE: 550 5.1.1 unknown\n\nYour message\n\n  Subject: Test\n\nwas not delivered to:\n\n  zhang@example.net\n\nbecause:\n\n  Error transferring to example.net; SMTP Protocol Returned a Permanent Error 550 5.1.1 unknown user\n",
		"zhang@example.net failed 5.1.1"},
	{"aol", "From: Mail Delivery System <MAILER-DAEMON@aol.com>\nTo: me@x.com\nSubject: Undelivered Mail Returned to Sender\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n<zhang@aol.com>: host mailin.aol.com[192.0.2.1] said: 550\n    5.1.1 <zhang@aol.com>: Recipient address rejected: aol.com (in reply to RCPT TO command)\n",
		"zhang@aol.com failed 5.1.1"},
	{"james", "From: postmaster@localhost\nTo: me@x.com\nSubject: [BOUNCE] hi\n\nHi. This is the James mail server at localhost.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out. Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\nFailed recipient(s):\nzhang@example.jp\n\nError message:\n550 5.1.1 unknown\n\nMessage details:\n  Subject: hi\n  MAIL FROM: me@x.com\n  RCPT TO: zhang@example.jp\n  From: me@x.com\n",
		"zhang@example.jp failed 5.1.1"},
	{"yandex", "From: mailer-daemon@yandex.ru\nTo: me@x.com\nSubject: Недоставленное сообщение\n\nЭто письмо отправлено почтовым сервером yandex.ru.\n\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может\nбыть отправлено одному или нескольким адресатам.\n\n<zhang@example.jp>: host mx.example.jp[192.0.2.1] said: 550 5.2.1\n    <zhang@example.jp>... User Unknown (in reply to RCPT TO command)\n",
		"zhang@example.jp failed 5.2.1"},
	{"outlook", "From: postmaster@hotmail.com\nTo: me@x.com\nSubject: Delivery Status Notification (Failure)\n\nThis is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed.\n\n       zhang@example.jp\n\n",
		"zhang@example.jp failed 5.0.0"},
	{"barracuda", "From: notification@barracuda.com\nTo: me@x.com\nSubject: **Message you sent blocked by our bulk email filter**\n\nYour message to: zhang@example.com\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: hi\n\nstatus: 5.7.1 Message content rejected\n",
		" failed 5.7.1"},
	{"surf", "From: Postmaster@x.com\nTo: me@x.com\nSubject: Message delivery failure\n\nYour message could not be sent.\nA transcript of the attempts to send the message follows.\nThe number of attempts made: 1\nAddressed To: zhang@post.example.jp\n\nThu 29 Apr 2010 23:34:45 +0900\nFailed to send to identified host,\nzhang@post.example.jp: [192.0.2.5], 550 zhang@post.example.jp... No such user\n--- Message non-deliverable.\n",
		"zhang@post.example.jp failed 5.1.1"},
	{"mxlogic", "From: Mail Delivery System <Mailer-Daemon@mx.x.com>\nTo: me@x.com\nSubject: Mail delivery failed: returning message to sender\n\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  <zhang@example.com>:192.0.2.1:550 5.1.1 User unknown\n\n------ This is a copy of the message\n",
		"zhang@example.com failed 5.1.1"},
	{"delay postfix", "From: MAILER-DAEMON@x.com (Mail Delivery System)\nTo: me@x.com\nSubject: Delayed Mail (still being retried)\n\n####################################################################\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n####################################################################\n\nYour message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n\n<zhang@example.com>: connect to mx.example.com[192.0.2.1]:25: Connection timed out\n",
		"zhang@example.com delayed 4.4.7"},
	{"mcafee", "From: Postmaster@x.com\nTo: me@x.com\nSubject: Delivery failure\n\nThis message could not be delivered to the following recipients:\n\nzhang@example.com: host unknown\n",
		"zhang@example.com failed 5.1.2"},
	{"aliyun", "From: postmaster@service.aliyun.com\nTo: me@x.com\nSubject: 退信通知\n\n您好，您的邮件\"订单\"发送失败，收件人：zhang@163.com，失败原因：550 5.4.5 Daily user sending quota exceeded\n",
		"zhang@163.com failed 5.4.5"},
}

func TestNoticesOfManyMailSystemsAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range notices {
		m := Parse(crlf(c.raw), Limits{})
		if m.Class != desk.ClassBounce || m.Bounce == nil {
			t.Errorf("%s: %s (%s)", c.name, m.Class, m.Why)
			continue
		}
		var got []string
		for _, r := range m.Bounce.Recipients {
			got = append(got, r.Address+" "+string(r.Action)+" "+r.Status)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

package mail

import (
	"strings"
	"testing"
)

func BenchmarkParseSmallMail(b *testing.B) {
	raw := crlf("Return-Path: <zhang@example.com>\nReceived: from x by y; Mon, 3 Mar 2025 17:21:00 +0800\nFrom: =?utf-8?B?5byg5LiJ?= <zhang@example.com>\nTo: support@example.com\nSubject: =?utf-8?Q?=E8=AE=A2=E5=8D=95?= 42\nDate: Mon, 3 Mar 2025 17:21:00 +0800\nMessage-ID: <one@example.com>\nContent-Type: text/plain; charset=utf-8\n\n" +
		strings.Repeat("我要退货，订单号 20250303-17，谢谢。\n", 5) + "\n在 2025年3月3日，下午5:21，客服 <support@example.com> 写道：\n" + strings.Repeat("> 您好，请问有什么可以帮您？\n", 20))
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		Parse(raw, Limits{})
	}
}

func BenchmarkParseHTMLMail(b *testing.B) {
	html := programs["outlook desktop"] + strings.Repeat("<div style='font-family:Arial'><p class=MsoNormal>Some words of a paragraph that was quoted.<o:p></o:p></p></div>\n", 200)
	raw := crlf("From: a@example.com\nSubject: s\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n" + strings.Repeat("Some words of a paragraph of 60 bytes at 10:00, or so.\n", 200) + "\n--b\nContent-Type: text/html\n\n" + html + "\n--b--\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		Parse(raw, Limits{})
	}
}

func BenchmarkParseAttachment5MB(b *testing.B) {
	raw := crlf("From: a@example.com\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat(strings.Repeat("QUJD", 19)+"\n", 90_000) + "--b--\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		Parse(raw, Limits{})
	}
}

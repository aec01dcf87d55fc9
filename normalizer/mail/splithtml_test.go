package mail

import (
	"strings"
	"testing"
)

// HTML bodies as mail programs build them, each an answer of two lines above an older mail.
var programs = map[string]string{
	"gmail":             `<div dir="ltr">New words,<div>said today.</div></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mon, Mar 3, 2025 at 5:21 PM Some One &lt;<a href="mailto:a@example.com">a@example.com</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">Old words</blockquote></div>`,
	"outlook desktop":   `<body lang=EN-US><div class=WordSection1><p class=MsoNormal>New words,<o:p></o:p></p><p class=MsoNormal>said today.<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> Some One &lt;a@example.com&gt;<br><b>Sent:</b> Monday, March 3, 2025 5:21 PM<br><b>To:</b> Support<br><b>Subject:</b> Order</p></div></div><p class=MsoNormal>Old words</p></div></body>`,
	"outlook web":       `<div>New words,</div><div>said today.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>De:</b> Some One<br><b>Enviado:</b> lunes<br></font></div><div>Old words</div>`,
	"apple mail":        `<html><head></head><body dir="auto">New words,<div>said today.</div><div><br><blockquote type="cite"><div>在 2025年3月3日，17:21，张三 &lt;a@example.com&gt; 写道：</div><br class="Apple-interchange-newline"><div>Old words</div></blockquote></div><br></body></html>`,
	"ios":               `<html><body dir="auto"><div dir="ltr">New words,</div><div dir="ltr">said today.<br><br><div dir="ltr">发自我的 iPhone</div></div><div dir="ltr"><br><blockquote type="cite">On 3 Mar 2025, at 17:21, Some One &lt;a@example.com&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">Old words</div></blockquote></body></html>`,
	"thunderbird":       `<html><body><p>New words,<br>said today.</p><div class="moz-cite-prefix">Am 03.03.2025 um 17:21 schrieb Some One:<br></div><blockquote type="cite" cite="mid:x@y"><p>Old words</p></blockquote><div class="moz-signature">-- <br>Bob</div></body></html>`,
	"yahoo":             `<div class="yahoo-style-wrap"><div dir="ltr">New words,</div><div dir="ltr">said today.</div></div><div id="yahoo_quoted_1" class="yahoo_quoted"><div><div>On Monday, March 3, 2025, 5:21 PM, Some One wrote:</div><div>Old words</div></div></div>`,
	"qq":                `<div>New words,</div><div>said today.</div><div><br></div><hr style="margin:0 0 10px 0;border:0;border-bottom:1px solid #E6E8EB;"><div><div>张三</div></div><div>&nbsp;</div><div style="font-size:12px;font-family:Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size:12px;background:#efefef;padding:8px;"><div><b>发件人:</b>&nbsp;"客服"&lt;a@example.com&gt;;</div><div><b>发送时间:</b>&nbsp;2025年3月3日(星期一) 下午5:21</div><div><b>收件人:</b>&nbsp;"张三"&lt;b@qq.com&gt;;</div><div><b>主题:</b>&nbsp;订单</div></div><div>Old words</div>`,
	"netease":           `<div style="line-height:1.7">New words,<div>said today.</div></div><br><p>At 2025-03-03 17:21:00, "客服" &lt;a@example.com&gt; wrote:</p><blockquote id="isReplyContent" style="PADDING-LEFT:1ex;MARGIN:0 0 0 0.8ex;BORDER-LEFT:#ccc 1px solid"><div>Old words</div></blockquote>`,
	"netease master":    `<div>New words,</div><div>said today.</div><div class="ne-quoted-Flag"><div>---- 回复的原邮件 ----</div><blockquote><div><table><tr><td>发件人</td><td>客服</td></tr></table></div><div>Old words</div></blockquote></div>`,
	"foxmail":           `<html><body><div>New words,</div><div>said today.</div><div><br></div><hr style="width: 210px; height: 1px;" color="#b5c4df" size="1" align="left"><div><span><div>张三</div></span></div><blockquote style="margin-Top: 0px; margin-Bottom: 0px; margin-Left: 0.5em"><div>&nbsp;</div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><div><b>发件人：</b>&nbsp;<a href="mailto:a@example.com">客服</a></div><div><b>发送时间：</b>&nbsp;2025-03-03&nbsp;17:21</div><div><b>收件人：</b>&nbsp;张三</div><div><b>主题：</b>&nbsp;订单</div></div><div>Old words</div></blockquote></body></html>`,
	"proton":            `<div>New words,</div><div>said today.</div><div class="protonmail_signature_block"><div>Sent with Proton Mail secure email.</div></div><div class="protonmail_quote">On Monday, March 3rd, 2025 at 5:21 PM, Some One &lt;a@example.com&gt; wrote:<br><blockquote class="protonmail_quote" type="cite">Old words</blockquote></div>`,
	"yandex":            `<div>New words,</div><div>said today.</div><div><br></div><div>03.03.2025, 17:21, "Some One" &lt;a@example.com&gt;:</div><blockquote><p>Old words</p></blockquote>`,
	"zoho":              `<div>New words,<br>said today.<br></div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- On Mon, 03 Mar 2025 17:21:00 +0800 Some One wrote ---</div><blockquote>Old words</blockquote></div>`,
	"forms of a helper": `<p style="margin:0">New words,</p><p style="margin:0">said today.</p><p>&nbsp;</p><p>-----Original Message-----</p><p>Old words</p>`,
}

func TestHistoryInHTMLIsToldFromNewWords(t *testing.T) {
	t.Parallel()
	for name, html := range programs {
		p := SplitHTML(html)
		if got := strings.TrimSpace(strings.ReplaceAll(p.Reply, "\n\n", "\n")); got != "New words,\nsaid today." {
			t.Errorf("%s: %q", name, got)
		}
		if strings.Contains(p.ReplyHTML, "Old words") || !strings.Contains(p.ReplyHTML, "New words") || p.ReplyHTML+p.QuotedHTML == "" {
			t.Errorf("%s: shows %q", name, p.ReplyHTML)
		}
		if !strings.Contains(p.QuotedHTML, "Old words") {
			t.Errorf("%s: the history is not in %q", name, p.QuotedHTML)
		}
	}
}

func TestHTMLBecomesReadableText(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"<p>One</p><p>Two</p>", "One\n\nTwo"}, {"a<br>b<br/>c", "a\nb\nc"}, {"<div>a</div><div>b</div>", "a\nb"}, {"a&nbsp;&amp;&lt;b&gt; &#20320;", "a &<b> 你"},
		{"<style>x{}</style><script>alert(1)</script>hi<title>no</title>", "hi"}, {"<ul><li>one<li>two</ul>", "- one\n- two"}, {"<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"},
		{"<blockquote>old<blockquote>older</blockquote></blockquote>new", "> old\n>\n> > older\n\nnew"}, {"<pre>a\n  b</pre>", "a\n  b"}, {"<div style='display:none'>secret</div>seen", "seen"},
		{"  a \n b  ", "a b"}, {"", ""}, {"<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb"}, {"退<b>款</b>", "退款"}, {"<a href='http://x'>link</a>", "link"},
	} {
		if got := HTMLText(c[0]); got != c[1] {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
}

func TestDeepHTMLCostsLittle(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<div><blockquote>", 100_000) + "x" + strings.Repeat("</blockquote></div>", 100_000)
	if got := HTMLText(deep); !strings.Contains(got, "x") {
		t.Error("the text is gone")
	}
	if p := SplitHTML(deep); len(p.ReplyHTML)+len(p.QuotedHTML) != len(deep) {
		t.Errorf("%d of %d bytes", len(p.ReplyHTML)+len(p.QuotedHTML), len(deep))
	}
}

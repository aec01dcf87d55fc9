// Package tencent is a stand-in for Tencent: WeChat official accounts (公众号), mini-programs (小程序) and 微信客服, without a network.
//
// Tests, the demo and `hearback simulate wechat` use it from both sides. [Tencent] is an http.Handler that answers the provider's
// API (point the channel's api_base at it), and it has customers ([Customer]) who write to the channel's callback address and
// look at their phones ([Customer.Inbox]). It holds to what Tencent does as far as that is known:
//
//   - errors are errcodes inside HTTP 200; tokens expire and are replaced; what is refused is shown on no phone
//   - reply windows and quotas (48 h / 5 messages after a message, 1 min / 3 after a tap), 2,048 bytes of text, media for 3 days
//   - callbacks signed and, in safe mode, encrypted; cut after 5 s and repeated, three deliveries in all, with the same MsgId
//   - kf: callbacks carry a token only, messages are pulled by cursor for at most 3 days, msgid makes a send repeatable, and what
//     was taken may fail later (msg_send_fail)
//
// [Tencent.Fail] scripts what goes wrong. The clock is injected. Everything is in memory; nothing runs on by itself: a customer's
// verb returns when its callback was acknowledged or given up.
//
// Its signatures and its encryption are its own: an error in the connector's must not be mirrored here.
package tencent

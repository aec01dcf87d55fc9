// Package wechat is the channel kind for WeChat: official accounts (公众号, 服务号), customer service (微信客服, "kf") and mini-programs.
//
// An official account or a mini-program is called: Tencent posts each message to the channel's address, and [official.ServeHTTP] takes
// it into the inbox. A customer-service account only rings: its callback says that there is something, and the node that holds the
// channel's lease fetches it with sync_msg ([kf.Receive]). Both answer through the same thin client ([api]).
//
// What holds:
//   - Nothing is believed before its signature is checked in constant time and its time is near ours. An account in safe mode takes
//     encrypted bodies only. In plain mode the signature does not cover the body (Tencent's rule), so the first body that comes with a
//     signature is the only one that may come with it.
//   - "success" is written after Inbox.Accept returned nil and never before; no call to Tencent lies on the callback's path. Tencent
//     asks three times, sometimes with the very same bytes: the same message is accepted again, found to be a duplicate, and answered
//     with success. So a repeated try whose first one was not committed is not lost, and a replayed one changes nothing.
//   - A message is known by ToUserName and MsgId, an event by ToUserName, FromUserName, CreateTime, Event and EventKey.
//   - sync_msg's cursor commits in the transaction of the messages it stands behind.
//   - The errcode inside an HTTP 200 decides what became of a reply, on every call. custom/send knows no idempotency key: a reply whose
//     answer was lost is Uncertain and not repeated. kf's send_msg takes our id as msgid, so it is Resendable.
//   - Among all nodes one fetches an access token; a refused one is dropped and fetched once. Tokens and secrets appear in no log, no
//     error and no address shown.
//
// Of github.com/silenceper/wechat/v2 the signature, the cipher and the official accounts' message types are used, never its root package (it logs every
// message to standard output), its server (it lets the request choose the mode) or its HTTP client (it has no time limit).
//
// How it fails: refused credentials, missing permissions and addresses that are not in the white list are of class Credentials and hold
// the channel; the daily quota is Throttled until Beijing's midnight; a shut reply window is Permanent with its reason.
package wechat

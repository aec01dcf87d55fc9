// The words of the widget in both languages. Every one is weighed: they are a tenth of what a visitor loads.

const zh = {
  title: "在线客服",
  online: "在线，很快回复您",
  offline: "请留言，我们会尽快回复",
  greeting: "您好，请问有什么可以帮您？",
  write: "输入消息…",
  send: "发送",
  attach: "发送图片或文件",
  close: "关闭",
  sound: "提示音",
  log: "聊天记录",
  you: "您",
  typing: "正在输入",
  sending: "发送中…",
  waiting: "联网后自动发送",
  sent: "已送达",
  retry: "重试",
  drop: "删除",
  unread: "新消息",
  lost: "连接已断开，正在重连。可继续输入，恢复后自动发送。",
  too_long: "消息太长",
  rate: "发送太频繁，请稍候",
  size: "文件太大",
  type: "不支持这种文件",
  other: "发送失败",
};

export type Words = typeof zh;

const en: Words = {
  title: "Chat with us",
  online: "Online, we reply shortly",
  offline: "Leave us a message, we will reply",
  greeting: "Hello! How can we help you?",
  write: "Write a message…",
  send: "Send",
  attach: "Send a picture or file",
  close: "Close",
  sound: "Sound",
  log: "Conversation",
  you: "You",
  typing: "is typing",
  sending: "Sending…",
  waiting: "Waiting to be online",
  sent: "Delivered",
  retry: "Try again",
  drop: "Remove",
  unread: "New messages",
  lost: "Connection lost. Keep writing, it is sent when we are back.",
  too_long: "Message too long",
  rate: "Too fast, please wait",
  size: "File too large",
  type: "File type not accepted",
  other: "Could not be sent",
};

export function words(lang: string): Words {
  return lang === "en" ? en : zh;
}

/** Why something was refused, in words. */
export function reason(w: Words, code: string): string {
  return w[code as keyof Words] || w.other;
}

/** "14:03" */
export function clock(at: Date, lang: string): string {
  return at.toLocaleTimeString(lang, { hour: "numeric", minute: "2-digit" });
}

/** "11月21日" or "Nov 21": also tells whether two moments are on one day here. */
export function day(at: Date, lang: string): string {
  return at.toLocaleDateString(lang, { month: "short", day: "numeric" });
}

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { accent, ink } from "../widget/src/colour";
import { Keep } from "../widget/src/keep";
import { Outbox } from "../widget/src/outbox";
import { Store } from "../widget/src/store";
import type { Entry } from "../widget/src/wire";

type Frame = Record<string, unknown>;

/** A websocket whose other end is the test. */
class Socket {
  static all: Socket[] = [];
  static refuse = false;
  sent: Frame[] = [];
  closed = false;
  onopen?: () => void;
  onmessage?: ((e: { data: string }) => void) | null;
  onclose?: ((e: { code?: number }) => void) | null;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    Socket.all.push(this);
    if (Socket.refuse) setTimeout(() => this.onclose?.({ code: 1006 }));
    else setTimeout(() => this.onopen?.());
  }
  static get now() {
    return Socket.all[Socket.all.length - 1];
  }
  send(text: string) {
    if (!this.closed) this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  /** What the server says. */
  say(...frames: Frame[]) {
    for (const f of frames) this.onmessage?.({ data: JSON.stringify(f) });
  }
  messages() {
    return this.sent.filter((f) => f.type === "message");
  }
}

/** The HTTP side: answers by path. */
const http: Record<string, (body: unknown, token: string) => { status: number; body: unknown }> = {};
const asked: string[] = [];
class Request {
  status = 0;
  response: unknown = null;
  upload = {};
  responseType = "";
  onloadend?: () => void;
  private path = "";
  private token = "";
  open(_: string, path: string) {
    this.path = path;
  }
  setRequestHeader(name: string, value: string) {
    if (name === "Authorization") this.token = value.slice(7);
  }
  getResponseHeader() {
    return null;
  }
  send(body?: string) {
    asked.push(this.path);
    const name = this.path.replace(/^\/c\/x/, "").replace(/\?.*/, "");
    const answer = http[name]?.(body ? JSON.parse(body) : null, this.token);
    if (answer) ({ status: this.status, body: this.response } = answer);
    setTimeout(() => this.onloadend?.());
  }
}

const event = (seq: number, from: Entry["from"], text: string, client_msg_id?: string): Frame => ({
  type: "event",
  seq,
  event: {
    seq,
    id: `e${seq}`,
    type: "message",
    from,
    name: "",
    text,
    client_msg_id,
    attachments: [],
    at: new Date(2026, 0, 1, 0, 0, seq).toISOString(),
  },
});
const welcome = (last = 0) => ({ type: "welcome", last, agent_online: true, config: { greeting: "hi" } });

const keep = () => new Keep("hearback./c/x.");
const store = () =>
  new Store(
    "/c/x",
    "en",
    keep(),
    {},
    () => {},
    () => {},
  );
const texts = (s: Store) => s.entries.map((e) => e.text);
const tick = (ms = 1) => vi.advanceTimersByTimeAsync(ms);

/** A store that has said hello and was welcomed. */
async function connected() {
  const s = store();
  keep().set("token", "t1");
  s.begin();
  await tick(5);
  Socket.now.say(welcome());
  return s;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("XMLHttpRequest", Request);
  localStorage.clear();
  Socket.all = [];
  Socket.refuse = false;
  asked.length = 0;
  for (const k of Object.keys(http)) delete http[k];
  http["/visitors"] = () => ({ status: 201, body: { visitor_token: "t1", visitor_id: "v1" } });
  http["/config"] = () => ({ status: 200, body: { greeting: "hello", online: false } });
  http["/events"] = () => ({ status: 200, body: { items: [], last: 0 } });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the outbox", () => {
  it("keeps what was not acknowledged over a reload, in the order of writing", () => {
    const a = new Outbox(keep());
    for (const t of ["one", "two", "three"]) a.make(t);
    expect(new Outbox(keep()).list.map((p) => p.text)).toEqual(["one", "two", "three"]);
  });

  it("is not overwritten by another tab", () => {
    const [a, b] = [new Outbox(keep()), new Outbox(keep())];
    const one = a.make("from a");
    b.make("from b");
    a.drop(one.id);
    expect(new Outbox(keep()).list.map((p) => p.text)).toEqual(["from b"]);
  });

  it("lives without storage", () => {
    vi.stubGlobal("localStorage", undefined);
    const a = new Outbox(new Keep("nowhere."));
    a.make("one");
    expect(new Outbox(new Keep("nowhere.")).list.map((p) => p.text)).toEqual(["one"]);
  });
});

describe("the store", () => {
  it("costs a reader no socket and no visitor", async () => {
    const s = store();
    s.begin();
    await tick(10);
    expect(Socket.all).toHaveLength(0);
    expect(asked).toEqual(["/c/x/config"]);
    expect(s.config.greeting).toBe("hello");
  });

  it("makes a visitor for the first message and sends one message at a time", async () => {
    const s = store();
    s.send("one");
    s.send("two");
    await tick(5);
    expect(Socket.now.protocols).toEqual(["hearback.v1", "token.t1"]);
    Socket.now.say(welcome());
    const first = Socket.now.messages();
    expect(first.map((m) => m.text)).toEqual(["one"]);
    Socket.now.say({ type: "ack", client_msg_id: first[0].client_msg_id, id: "m1", seq: 1 });
    expect(Socket.now.messages().map((m) => m.text)).toEqual(["one", "two"]);
  });

  it("repeats an unacknowledged message under the same id after the line broke, and shows it once", async () => {
    const s = await connected();
    s.send("one");
    const id = Socket.now.messages()[0].client_msg_id;
    Socket.now.onclose?.({ code: 1006 });
    await tick(1000);
    expect(Socket.all).toHaveLength(2);
    Socket.now.say(welcome(1), event(1, "visitor", "one", id as string));
    expect(Socket.now.messages().filter((m) => m.client_msg_id !== id)).toEqual([]);
    Socket.now.say({ type: "ack", client_msg_id: id, id: "e1", seq: 1 });
    expect(texts(s)).toEqual(["one"]);
    expect(s.out.list).toEqual([]);
  });

  it("gives the socket up when an acknowledgement does not come", async () => {
    const s = await connected();
    s.send("one");
    await tick(11_000);
    expect(Socket.all.length).toBeGreaterThan(1);
    expect(s.out.list).toHaveLength(1);
  });

  it("asks on return only for what it does not have", async () => {
    const s = await connected();
    Socket.now.say(event(1, "agent", "a"), event(2, "agent", "b"));
    Socket.now.onclose?.({ code: 1012 });
    await tick(5000);
    expect(Socket.now.sent[0]).toMatchObject({ type: "hello", after: 2 });
    Socket.now.say(welcome(3), event(2, "agent", "b"), event(3, "agent", "c"));
    expect(texts(s)).toEqual(["a", "b", "c"]);
  });

  it("does not take an acknowledgement's number for a position: an answer before it is not skipped", async () => {
    const s = await connected();
    s.send("mine");
    Socket.now.say({ type: "ack", client_msg_id: Socket.now.messages()[0].client_msg_id, id: "e2", seq: 2 });
    Socket.now.onclose?.({ code: 1006 });
    await tick(5000);
    expect(Socket.now.sent[0]).toMatchObject({ type: "hello", after: 0 });
    Socket.now.say(welcome(2), event(1, "agent", "his"), event(2, "visitor", "mine"));
    expect(texts(s)).toEqual(["his", "mine"]);
  });

  it("waits when it writes too fast and goes on by itself", async () => {
    const s = await connected();
    s.send("one");
    const id = Socket.now.messages()[0].client_msg_id;
    Socket.now.say({ type: "error", code: "rate", client_msg_id: id, retry_after: 3 });
    await tick(2900);
    expect(Socket.now.messages()).toHaveLength(1);
    await tick(200);
    expect(Socket.now.messages().map((m) => m.client_msg_id)).toEqual([id, id]);
  });

  it("keeps a refused message for the visitor to decide and lets the next pass", async () => {
    const s = await connected();
    s.send("bad");
    s.send("good");
    Socket.now.say({ type: "error", code: "forbidden", client_msg_id: Socket.now.messages()[0].client_msg_id });
    expect(s.out.list[0].failed).toBe("forbidden");
    expect(Socket.now.messages().map((m) => m.text)).toEqual(["bad", "good"]);
    s.retry(s.out.list[0]);
    expect(s.out.list[0].failed).toBeUndefined();
  });

  it("refuses a text that is too long before it is sent", async () => {
    const s = await connected();
    expect(s.send("长".repeat(4001))).toBe(false);
    expect(s.notice).toBe("too_long");
    expect(s.out.list).toEqual([]);
  });

  it("polls when websockets do not get through, and sends by HTTP", async () => {
    Socket.refuse = true;
    const items = [event(1, "agent", "hello").event];
    http["/events"] = () => ({ status: 200, body: { items: items.splice(0), last: 1 } });
    http["/messages"] = (b) => ({ status: 201, body: { id: "e2", seq: 2, ...(b as object) } });
    const s = store();
    s.send("mine");
    await tick(4000);
    expect(texts(s)).toEqual(["hello", "mine"]);
    expect(s.lost).toBe(false);
  });

  it("becomes a new visitor when the server does not know his token any more, and loses no message", async () => {
    Socket.refuse = true;
    keep().set("token", "old");
    http["/events"] = (_, token) =>
      token === "old"
        ? { status: 401, body: { code: "token_expired" } }
        : { status: 200, body: { items: [], last: 0 } };
    const s = store();
    s.send("mine");
    await tick(300);
    Socket.refuse = false;
    await tick(3000);
    expect(Socket.now.protocols[1]).toBe("token.t1");
    Socket.now.say(welcome());
    expect(Socket.now.messages().map((m) => m.text)).toEqual(["mine"]);
  });

  it("does not leave a visitor alone because the page named him wrongly", async () => {
    const bodies: unknown[] = [];
    http["/visitors"] = (b) => {
      bodies.push(b);
      return Object.keys(b as object).length
        ? { status: 401, body: { code: "invalid_identity" } }
        : { status: 201, body: { visitor_token: "t1", visitor_id: "v1" } };
    };
    const s = store();
    s.identify({ identity_token: "expired" });
    s.send("mine");
    await tick(20);
    expect(bodies).toEqual([{ identity_token: "expired" }, {}]);
    expect(Socket.all).toHaveLength(1);
  });

  it("counts what came unseen, and tells the server what was seen", async () => {
    const s = await connected();
    Socket.now.say(event(1, "agent", "a"), event(2, "agent", "b"), event(3, "visitor", "c"));
    expect(s.unread).toBe(2);
    s.show(true);
    expect(s.unread).toBe(0);
    expect(Socket.now.sent.at(-1)).toEqual({ type: "read", seq: 3 });
    expect(store().unread).toBe(0);
  });

  it("says that he is typing at most every three seconds", async () => {
    const s = await connected();
    for (let i = 0; i < 10; i++) s.typed(true);
    await tick(3100);
    s.typed(true);
    s.typed(false);
    s.typed(false);
    expect(Socket.now.sent.filter((f) => f.type === "typing").map((f) => f.on)).toEqual([true, true, false]);
  });

  it("notices a dead line by the silence after a ping", async () => {
    await connected();
    await tick(26_000);
    expect(Socket.now.sent.some((f) => f.type === "ping")).toBe(true);
    const first = Socket.now;
    await tick(12_000);
    expect(first.closed).toBe(true);
    expect(Socket.all.length).toBeGreaterThan(1);
  });
});

describe("the accent colour", () => {
  it("is readable whatever was set", () => {
    const light = (hex: string) => {
      const full = hex.length === 4 ? `#${[...hex.slice(1)].map((c) => c + c).join("")}` : hex;
      const [r, g, b] = [1, 3, 5].map((i) => {
        const s = Number.parseInt(full.slice(i, i + 2), 16) / 255;
        return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (let n = 0; n < 0xffffff; n += 0x1357) {
      const c = `#${n.toString(16).padStart(6, "0")}`;
      const [a, b] = [light(c), light(ink(c))].sort((x, y) => y - x);
      expect((a + 0.05) / (b + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("is never anything but a colour", () => {
    for (const v of ["red;background:url(//evil)", "#12", "", null, "#zzzzzz"])
      expect(accent(v)).toMatch(/^#[0-9a-f]{6}$/);
    expect(accent("#0F6B5C")).toBe("#0f6b5c");
  });
});

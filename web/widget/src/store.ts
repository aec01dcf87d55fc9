// The state of one chat and everything that changes it. The view draws it and calls its verbs; nothing here touches the DOM.
import { Api, type Refused } from "./api";
import type { Keep } from "./keep";
import { Link, type LinkState } from "./link";
import { Outbox, type Pending } from "./outbox";
import type { Config, Entry, Frame, Identity } from "./wire";

const KEPT = 60; // entries shown at once after a reload, before the server has answered
const ACK = 10_000; // how long an acknowledgement may take before the connection counts as dead
const MAX_TEXT = 4_000; // characters, when the channel does not say
const MAX_FILE = 10 << 20; // bytes, when the channel does not say

export class Store {
  open = false;
  online: boolean | undefined;
  config: Config;
  entries: Entry[];
  typing = ""; // who is typing; "" nobody
  lost = false; // the connection broke and is not back
  sound: boolean;
  notice = ""; // a code for words.reason, shown above the composer
  readonly out: Outbox;
  readonly local: Record<string, string> = {}; // name and size of a file -> address of the picture in this page: no second download, no flicker

  private last = 0; // highest event seq of this page. Starts at 0: the first hello brings fresh file addresses.
  private seen: number; // highest seq the visitor has seen
  private readonly api: Api;
  private readonly line: Link;
  private link: LinkState = "connecting";
  private identity: Identity = {};
  private making?: Promise<string>;
  private flight = ""; // client_msg_id of the message on its way
  private ackTimer = 0;
  private typingTimer = 0;
  private typedAt = 0;
  private saving = 0;

  constructor(
    base: string, // the channel's path
    lang: string,
    private readonly keep: Keep,
    config: Config,
    private readonly changed: (arrived?: boolean) => void,
    private readonly tell: (m: object) => void,
  ) {
    this.config = { ...config, ...keep.json<Config>("config", {}) };
    this.entries = keep.json<Entry[]>("log", []);
    this.seen = +(keep.get("seen") || 0);
    this.sound = !!keep.get("sound");
    this.out = new Outbox(keep);
    this.api = new Api(base, () => keep.get("token"));
    this.line = new Link(location.origin.replace("http", "ws") + base + "/ws", this.api, {
      token: () => this.visitor(),
      expired: () => keep.set("token"),
      hello: () => ({ type: "hello", after: this.last, page: document.referrer, language: lang }),
      last: () => this.last,
      frame: (f) => this.frame(f),
      state: (s) => this.moved(s),
    });
    addEventListener("storage", (e) => this.elsewhere(e.key || ""));
  }

  /** Connects when there is a conversation; otherwise only asks for the channel's words, so that a reader costs no socket. */
  begin(): void {
    if (this.keep.get("token") || this.out.list.length) this.line.start();
    else
      this.api.config().then(
        (c) => this.learn(c, c.online),
        () => {},
      );
  }

  get unread(): number {
    return this.entries.filter((e) => e.seq > this.seen && e.from !== "visitor").length;
  }

  show(on: boolean): void {
    this.open = on;
    this.look();
  }

  /** Marks everything shown as read, when somebody is looking. */
  look(): void {
    const top = this.entries[this.entries.length - 1]?.seq;
    if (this.open && !document.hidden && top > this.seen) {
      this.seen = top;
      this.keep.set("seen", `${top}`);
      if (!this.line.send({ type: "read", seq: top }) && this.link === "poll") this.api.read(top).catch(() => {});
    }
    this.changed();
  }

  /** The network came back or the visitor did: do not sit out a pause. */
  nudge(): void {
    this.line.nudge();
  }

  /** Who the page says the visitor is; null when he logged out: then this browser forgets the conversation. */
  identify(who: Identity | null): void {
    this.identity = who || {};
    if (!who) {
      for (const k of this.keep.keys("")) this.keep.set(k);
      this.tell({ t: "live" });
      location.reload();
    } else if (this.keep.get("token"))
      this.meet().then(
        () => this.line.cut(), // comes back under the new token
        () => {},
      );
  }

  /** Takes a text for sending; false when it is refused at once. */
  send(text: string): boolean {
    if ([...text].length > (this.config.max_text || MAX_TEXT)) return this.complain("too_long");
    this.out.make(text);
    this.typed(false);
    this.away();
    return true;
  }

  attach(file: File): void {
    if (file.size > (this.config.max_file || MAX_FILE)) {
      this.complain("size");
      return;
    }
    this.upload(
      this.out.make(
        "",
        [{ id: "", name: file.name, type: file.type, size: file.size, url: URL.createObjectURL(file) }],
        file,
      ),
    );
  }

  retry(p: Pending): void {
    p.failed = undefined;
    if (p.file) this.upload(p);
    else {
      this.out.put(p);
      this.away();
    }
  }

  discard(p: Pending): void {
    this.out.drop(p.id);
    this.changed();
  }

  toggleSound(): void {
    this.sound = !this.sound;
    this.keep.set("sound", this.sound ? "1" : undefined);
    this.changed();
  }

  /** Tells the agent that the visitor is typing, at most every 3 s, and when he stopped. */
  typed(on: boolean): void {
    const now = Date.now();
    if (on ? now - this.typedAt < 3_000 : !this.typedAt) return;
    if (on) this.line.start(); // so that it stands when he sends
    this.typedAt = on ? now : 0;
    this.line.send({ type: "typing", on });
  }

  private complain(code: string): false {
    this.notice = code;
    this.changed();
    return false;
  }

  private upload(p: Pending): void {
    p.progress = 0;
    this.changed();
    this.visitor()
      .then(() =>
        this.api.upload(p.file as File, (part) => {
          p.progress = part;
          this.changed();
        }),
      )
      .then(
        (kept) => {
          this.local[kept.name + kept.size] = p.files[0].url;
          p.files = [kept];
          p.file = undefined;
          this.out.put(p);
          this.away();
        },
        (err: Refused) => {
          p.failed = err.code;
          this.changed();
        },
      );
  }

  /** Something waits in the outbox: get it going. */
  private away(): void {
    this.notice = "";
    this.line.start();
    this.line.nudge();
    this.flush();
  }

  /** Sends the oldest waiting message and only that: the next leaves when it is safe, so that order is kept. */
  private flush(): void {
    this.changed();
    const p = this.out.next();
    if (!p || this.flight || (this.link !== "live" && this.link !== "poll")) return;
    const attachments = p.files.map((f) => f.id);
    this.flight = p.id;
    if (this.link === "live") {
      this.ackTimer = setTimeout(() => this.line.cut(), ACK);
      this.line.send({ type: "message", client_msg_id: p.id, text: p.text, attachments });
    } else
      this.api.send(p.id, p.text, attachments).then(
        (a) => this.acked(p.id, a.id, a.seq),
        (err: Refused) => this.refused(p.id, err.code, err.after),
      );
  }

  /** The message is in the server's hands, or back in ours. */
  private landed(id = this.flight): void {
    if (id !== this.flight) return;
    clearTimeout(this.ackTimer);
    this.flight = "";
  }

  private acked(client_msg_id: string, id: string, seq: number): void {
    this.landed(client_msg_id);
    this.notice = "";
    const p = this.out.drop(client_msg_id);
    if (p)
      this.insert({
        seq,
        id,
        from: "visitor",
        text: p.text,
        client_msg_id,
        attachments: p.files,
        at: new Date(p.at).toISOString(),
      });
    this.flush();
  }

  private refused(id = this.flight, code: string, after = 0): void {
    this.landed(id);
    const p = this.out.list.find((q) => q.id === id);
    if (code === "rate" || code === "unavailable") {
      if (code === "rate") this.complain(code);
      setTimeout(() => this.flush(), (after || 2) * 1000);
    } else if (p) {
      p.failed = code;
      this.out.put(p);
      this.flush();
    }
  }

  private moved(s: LinkState): void {
    this.link = s;
    if (s === "connecting" || s === "down") {
      this.landed();
      this.typing = "";
    } else this.lost = false;
    this.lost ||= s === "down";
    this.flush();
  }

  private frame(f: Frame): void {
    if (f.type === "welcome") {
      this.last = Math.min(this.last, f.last); // A server restored from a backup counts on from there.
      this.learn(f.config, f.agent_online);
      if (f.visitor_token) this.keep.set("token", f.visitor_token);
      if (this.seen) this.line.send({ type: "read", seq: this.seen });
    } else if (f.type === "event") this.took(f.event, f.seq);
    else if (f.type === "ack") this.acked(f.client_msg_id, f.id, f.seq);
    else if (f.type === "error") this.refused(f.client_msg_id, f.code, f.retry_after);
    else if (f.type === "typing") this.agentTypes(f.on ? f.name || " " : "");
  }

  private took(e: Entry, seq: number): void {
    e.seq = seq;
    this.last = Math.max(this.last, seq);
    if (e.client_msg_id) {
      this.landed(e.client_msg_id);
      this.out.drop(e.client_msg_id);
    }
    const fresh = e.from !== "visitor" && seq > this.seen;
    if (this.insert(e) && fresh) this.changed(true);
    if (e.from !== "visitor") this.agentTypes("");
    this.look();
    this.flush();
  }

  /** Puts an entry at its place; one that is there already is replaced. Tells whether it was new. */
  private insert(e: Entry): boolean {
    const others = this.entries.filter((x) => x.id !== e.id && x.seq !== e.seq);
    const added = others.length === this.entries.length;
    this.entries = [...others, e].sort((a, b) => a.seq - b.seq);
    this.tell({ t: "live", on: 1 });
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.keep.set("log", JSON.stringify(this.entries.slice(-KEPT))), 200);
    return added;
  }

  private agentTypes(name: string): void {
    clearTimeout(this.typingTimer);
    if (name) this.typingTimer = setTimeout(() => this.agentTypes(""), 6_000);
    this.typing = name;
    this.changed();
  }

  private learn(c: Config | undefined, online: boolean | undefined): void {
    this.online = online ?? this.online;
    if (c) {
      Object.assign(this.config, c);
      this.keep.set("config", JSON.stringify(c));
    }
    this.changed();
  }

  /** The visitor's token; asks for one when there is none. */
  private visitor(): Promise<string> {
    const have = this.keep.get("token");
    return have ? Promise.resolve(have) : (this.making ||= this.meet());
  }

  private meet(): Promise<string> {
    const who = this.identity;
    return this.api.visitor(who).then(
      (v) => {
        this.making = undefined;
        if (this.keep.get("visitor") !== v.visitor_id) this.forget();
        this.keep.set("visitor", v.visitor_id);
        this.keep.set("token", v.visitor_token);
        this.learn(v.config, undefined);
        return v.visitor_token;
      },
      (err: Refused) => {
        this.making = undefined;
        // The old visitor token is no good: come as a new visitor. A page that names its user wrongly (an expired identity
        // token) must not leave him without help either: he is a stranger then.
        if (err.status === 401 && err.code === "unavailable" && this.keep.get("token")) this.keep.set("token");
        else if (err.status > 400 && err.status < 429 && Object.keys(who).length) this.identity = {};
        else throw err;
        return this.meet();
      },
    );
  }

  /** Another visitor, or a server that begins anew: what was shown is not his. */
  private forget(): void {
    clearTimeout(this.saving);
    this.entries = [];
    this.last = this.seen = 0;
    this.keep.set("log");
    this.keep.set("seen");
    this.changed();
  }

  /** Another tab changed what both keep. */
  private elsewhere(key: string): void {
    this.seen = Math.max(this.seen, +(this.keep.get("seen") || 0));
    if (key.includes(".out.")) this.out.load();
    if (key.endsWith(".token") && this.keep.get("token")) this.line.start();
    this.flush();
  }
}

// What this agent wrote and the server has not confirmed yet. It survives reload and loss of connection, goes out in the
// order it was written per ticket, and each entry carries the key that makes sending it again harmless.
import { drop, keys, load, save } from "@/lib/storage";

export interface OutEntry {
  key: string; // idempotency key, made once
  ticket: string;
  kind: "reply" | "note";
  text: string;
  attachments: { id: string; name: string; type: string; size: number; url: string }[];
  at: string; // RFC 3339, when it was written
  route?: string; // the way it leaves; undefined: the ticket's own
  means?: string; // what that way is, when it is no written message
  cc?: string[];
  bcc?: string[];
  subject?: string;
  if_seq?: number; // the last seq the writer had seen
  force?: boolean; // sent although a colleague answered meanwhile
  state: "waiting" | "sending" | "asks" | "refused" | "shut";
  error?: string;
  colleague?: string;
  secondsAgo?: number;
  ways?: OtherWay[]; // when its way is shut: those that are open
}

/** Another way for a reply whose own is shut. */
export interface OtherWay {
  id: string;
  means: string;
  offer: string; // "answer by e-mail: a***@b.com"
}

/** What became of one try. passing: try again later; asks: a colleague was faster; shut: its way is closed, others may be open; refused: a
 * person must change it. */
export type Outcome =
  | { kind: "done" }
  | { kind: "passing"; after?: number }
  | { kind: "asks"; colleague: string; secondsAgo: number }
  | { kind: "shut"; error: string; ways: OtherWay[] }
  | { kind: "refused"; error: string };

export type Send = (entry: OutEntry) => Promise<Outcome>;

const RETRY_FIRST = 1_000;
const RETRY_MOST = 15_000;

export class Outbox {
  entries: OutEntry[];
  private readonly prefix: string;
  private busy = new Set<string>(); // tickets with a request on its way
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = RETRY_FIRST;

  constructor(
    agent: string,
    private readonly send: Send,
    private readonly changed: () => void = () => {},
  ) {
    this.prefix = `hb.out.${agent}.`;
    this.entries = keys(this.prefix)
      .map((k) => load<OutEntry | null>(k, null))
      .filter((e): e is OutEntry => !!e)
      .map((e) => ({ ...e, state: e.state === "sending" ? "waiting" : e.state }))
      .sort((a, b) => a.at.localeCompare(b.at));
  }

  add(entry: Omit<OutEntry, "state">) {
    const e: OutEntry = { ...entry, state: "waiting" };
    this.entries.push(e);
    this.keep(e);
    this.flush();
  }

  /** Tries everything that waits, tickets beside each other, entries of one ticket one after the other. */
  flush() {
    clearTimeout(this.timer);
    for (const ticket of new Set(this.entries.map((e) => e.ticket))) void this.work(ticket);
  }

  /** Sends again what asked or was refused. */
  again(key: string, force = false) {
    const e = this.entries.find((x) => x.key === key);
    if (!e || e.state === "sending") return;
    e.state = "waiting";
    e.error = undefined;
    if (force) e.force = true;
    this.keep(e);
    this.flush();
  }

  /** Sends by another way what was refused because its own is shut. The text stays; copies belong to letters only. */
  reroute(key: string, way: OtherWay) {
    const e = this.entries.find((x) => x.key === key);
    if (!e || e.state === "sending") return;
    e.route = way.id;
    e.means = way.means;
    e.ways = undefined;
    e.cc = e.bcc = e.subject = undefined;
    this.again(key);
  }

  /** Takes an entry back, for editing or for good. */
  take(key: string): OutEntry | undefined {
    const at = this.entries.findIndex((x) => x.key === key && x.state !== "sending");
    if (at < 0) return undefined;
    const [e] = this.entries.splice(at, 1);
    drop(this.prefix + key);
    this.changed();
    return e;
  }

  stop() {
    clearTimeout(this.timer);
  }

  private async work(ticket: string) {
    if (this.busy.has(ticket)) return;
    this.busy.add(ticket);
    try {
      for (;;) {
        const e = this.entries.find((x) => x.ticket === ticket);
        if (e?.state !== "waiting") return; // what a person must decide holds back what was written after it
        e.state = "sending";
        this.keep(e);
        const outcome = await this.send(e);
        if (!this.settle(e, outcome)) return;
      }
    } finally {
      this.busy.delete(ticket);
    }
  }

  /** True when the ticket's next entry may follow. */
  private settle(e: OutEntry, outcome: Outcome): boolean {
    if (outcome.kind === "done") {
      this.wait = RETRY_FIRST;
      this.entries.splice(this.entries.indexOf(e), 1);
      drop(this.prefix + e.key);
      this.changed();
      return true;
    }
    if (outcome.kind === "passing") {
      e.state = "waiting";
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.flush(), outcome.after ?? this.wait);
      this.wait = Math.min(RETRY_MOST, this.wait * 2);
    } else if (outcome.kind === "asks") {
      e.state = "asks";
      e.colleague = outcome.colleague;
      e.secondsAgo = outcome.secondsAgo;
    } else if (outcome.kind === "shut") {
      e.state = "shut";
      e.error = outcome.error;
      e.ways = outcome.ways;
    } else {
      e.state = "refused";
      e.error = outcome.error;
    }
    this.keep(e);
    return false;
  }

  private keep(e: OutEntry) {
    save(this.prefix + e.key, e);
    this.changed();
  }
}

// The outbox: what the visitor sent and the server has not yet acknowledged. Every message is a key of its own in storage, so
// that tabs do not overwrite each other and a reload, a crash or a flat battery loses nothing. The server recognizes a
// client_msg_id it has, so sending from two tabs or twice shows a message once.
import type { Keep } from "./keep";
import type { Attachment } from "./wire";

export interface Pending {
  id: string; // client_msg_id
  text: string;
  files: Attachment[];
  at: number; // unix milliseconds, rising: the order of sending
  failed?: string; // why it was refused; it waits for the visitor then
  file?: File; // still to be uploaded; only such a message is not stored
  progress?: number; // 0..1 of the upload
}

/** A random UUID (version 4), also where crypto.randomUUID is missing (plain http, older WebViews). */
export function uuid(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const h = Array.from(b, (x) => (x + 256).toString(16).slice(1)).join("");
  return h.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Outbox {
  list: Pending[] = [];

  constructor(private readonly keep: Keep) {
    this.load();
  }

  /** Reads what is stored again: after a start and when another tab changed something. */
  load(): void {
    const stored = this.keep.keys("out.").map((k) => this.keep.json<Pending | null>(k, null));
    this.list = [...stored, ...this.list.filter((p) => p.file)]
      .filter((p): p is Pending => !!p)
      .sort((a, b) => a.at - b.at);
  }

  make(text: string, files: Attachment[] = [], file?: File): Pending {
    // Rising even when the clock is set back or two are made within a millisecond.
    const latest = this.list.reduce((max, p) => Math.max(max, p.at), 0);
    const p: Pending = { id: uuid(), text, files, at: Math.max(Date.now(), latest + 1), file };
    this.list.push(p);
    this.put(p);
    return p;
  }

  put(p: Pending): void {
    if (!p.file) this.keep.set(`out.${p.id}`, JSON.stringify(p));
  }

  /** Takes a message out and returns it; undefined when it is not here. */
  drop(id: string): Pending | undefined {
    const p = this.list.find((q) => q.id === id);
    if (p) {
      this.keep.set(`out.${id}`);
      this.list = this.list.filter((q) => q !== p);
    }
    return p;
  }

  /** The next message to send: the oldest that was not refused. */
  next(): Pending | undefined {
    return this.list.find((p) => !p.failed && !p.file);
  }
}

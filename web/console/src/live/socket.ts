// The live line to the server. It keeps one socket open, comes back after a loss with what this page knows, and hands
// frames on in order. What is missing between two frames is the caller's to fetch (see live/gaps.ts).
import type { ClientFrame, ServerFrame } from "./frames";

export type LiveState = "connecting" | "live" | "lost" | "off";

/** The part of WebSocket this file needs; tests bring their own. */
export interface Wire {
  readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number }) => void) | null;
  onerror: (() => void) | null;
}

export interface LiveOptions {
  open: () => Wire;
  build: string;
  onFrame: (frame: ServerFrame) => void;
  onState: (state: LiveState) => void;
  random?: () => number;
}

const OPEN = 1;
const HEARTBEAT = 10_000; // ms between pings
const SILENCE = 25_000; // ms without any frame after which the line counts as dead
const BACKOFF_FIRST = 500;
const BACKOFF_MOST = 15_000;

/** How long to wait before try n (from 0): doubling from 0.5 s to 15 s, half of it by chance. */
export function backoff(n: number, random: () => number = Math.random): number {
  const full = Math.min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** Math.min(n, 10));
  return full / 2 + (full / 2) * random();
}

export class Live {
  /** Ticket id to the last seq this page has of it: told in hello, so that the server sends the rest. */
  readonly known = new Map<string, number>();
  private wire: Wire | null = null;
  private tries = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;
  private heard = 0;
  private wanted = false;
  state: LiveState = "off";

  constructor(private readonly o: LiveOptions) {}

  start() {
    if (this.wanted) return;
    this.wanted = true;
    this.tries = 0;
    this.connect();
  }

  /** Ends for good: sign-out. */
  stop() {
    this.wanted = false;
    clearTimeout(this.retry);
    this.drop(1000);
    this.known.clear();
    this.become("off");
  }

  /** Gives the line up without waiting for its silence: the browser says it is off line. */
  cut() {
    const wire = this.wire;
    if (!this.wanted || !wire) return;
    this.drop(4001);
    this.lose(wire);
  }

  /** Tries at once instead of waiting: the browser came back on line, or the agent asked. */
  hurry() {
    if (!this.wanted || this.state === "live") return;
    this.tries = 0;
    clearTimeout(this.retry);
    this.drop(1000);
    this.connect();
  }

  /** Sends when the line is up; false means it was not. Watches and reads are told again by hello. */
  send(frame: ClientFrame): boolean {
    if (this.state !== "live" || this.wire?.readyState !== OPEN) return false;
    this.wire.send(JSON.stringify(frame));
    return true;
  }

  watch(ticket: string, seq: number) {
    this.known.set(ticket, seq);
    this.tell({ type: "watch", ticket_id: ticket, seq });
  }

  unwatch(ticket: string) {
    if (!this.known.delete(ticket)) return;
    this.tell({ type: "unwatch", ticket_id: ticket });
  }

  /** For what hello would have said: once hello has left, it must follow, also before the welcome. */
  private tell(frame: ClientFrame) {
    if (this.wire?.readyState === OPEN) this.wire.send(JSON.stringify(frame));
  }

  private connect() {
    if (this.state !== "lost") this.become("connecting");
    const wire = this.o.open();
    this.wire = wire;
    this.heard = Date.now();
    wire.onopen = () => {
      wire.send(JSON.stringify({ type: "hello", build: this.o.build, tickets: Object.fromEntries(this.known) }));
      clearInterval(this.beat);
      this.beat = setInterval(() => this.ping(), HEARTBEAT);
    };
    wire.onmessage = (e) => this.hear(wire, e.data);
    wire.onclose = () => this.lose(wire);
    wire.onerror = () => {};
  }

  private ping() {
    if (Date.now() - this.heard > SILENCE) {
      const wire = this.wire;
      this.drop(4000);
      if (wire) this.lose(wire);
      return;
    }
    if (this.wire?.readyState === OPEN) this.wire.send('{"type":"ping"}');
  }

  private hear(wire: Wire, data: unknown) {
    if (wire !== this.wire || typeof data !== "string") return;
    this.heard = Date.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "welcome") {
      this.tries = 0;
      this.become("live");
    }
    this.o.onFrame(frame);
  }

  private lose(wire: Wire) {
    if (this.wire !== wire && this.wire !== null) return;
    this.wire = null;
    clearInterval(this.beat);
    if (!this.wanted) return;
    this.become("lost");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), backoff(this.tries++, this.o.random));
  }

  private drop(code: number) {
    clearInterval(this.beat);
    const wire = this.wire;
    this.wire = null;
    if (!wire) return;
    wire.onopen = wire.onmessage = wire.onclose = wire.onerror = null;
    wire.close(code);
  }

  private become(state: LiveState) {
    if (this.state === state) return;
    this.state = state;
    this.o.onState(state);
  }
}

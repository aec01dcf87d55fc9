// The link: keeps the visitor connected. A websocket when it can be had, long polling on the same event log when proxies or old
// WebViews do not let one through. It knows nothing of messages but their seq; what was missed is asked for on every return.
import type { Api, Refused } from "./api";
import type { Frame } from "./wire";

export type LinkState = "connecting" | "live" | "poll" | "down";

export interface LinkEvents {
  token(): Promise<string>; // the visitor's token; makes a visitor when there is none
  expired(): void; // the server does not know the token any more
  hello(): object; // the first frame
  last(): number; // highest event seq this page has
  frame(f: Frame): void;
  state(s: LinkState): void;
}

const PING = 25_000;
const PATIENCE = 8_000; // for the answer to a ping, an opening socket
const RETRY_SOCKET = 60_000; // how long to poll before a websocket is tried again

export class Link {
  private socket?: WebSocket;
  private live = false;
  private running = false;
  private wake?: () => void;
  private tries = 0;
  private refused = 0; // websockets in a row that failed while HTTP worked

  constructor(
    private readonly url: string,
    private readonly api: Api,
    private readonly to: LinkEvents,
  ) {}

  /** Connects and stays connected as long as the page lives. */
  start(): void {
    if (!this.running) this.run();
    this.running = true;
  }

  /** Sends a frame over the websocket; false when there is none. */
  send(f: object): boolean {
    if (this.live) this.socket?.send(JSON.stringify(f));
    return this.live;
  }

  /** The network came back or the visitor acts: do not sit out the pause. */
  nudge(): void {
    this.tries = 0;
    this.wake?.();
  }

  /** Gives the socket up as dead and starts over. */
  cut(): void {
    const s = this.socket;
    s?.close();
    s?.onclose?.({} as CloseEvent); // A dead peer never answers the close; do not wait for it.
  }

  private async run(): Promise<void> {
    for (;;) {
      this.to.state("connecting");
      try {
        const token = await this.to.token();
        const was = this.refused < 2 ? await this.converse(token) : 0;
        if (was) {
          this.refused = 0;
          this.tries = was === 1012 ? 2 : 0; // A stopping server sends everybody away at once.
          this.to.state("connecting");
        } else await this.poll();
      } catch (err) {
        const { status } = err as Refused;
        if (status === 401) this.to.expired();
        this.to.state("down");
      }
      await this.pause();
    }
  }

  /** Half of a doubling pause is fixed, half is chance: after a restart thousands do not come back in one instant. */
  private pause(): Promise<void> {
    const most = Math.min(15_000, 500 * 2 ** this.tries++);
    return new Promise((done) => {
      this.wake = done as () => void;
      setTimeout(done, (most / 2) * (1 + Math.random()));
    });
  }

  /** Runs one websocket to its end. Resolves with its close code, or 0 when it never got to a welcome. */
  private converse(token: string): Promise<number> {
    return new Promise((done) => {
      const s = new WebSocket(this.url, ["hearback.v1", `token.${token}`]);
      const hello = () => s.send(JSON.stringify(this.to.hello()));
      this.socket = s;
      let heard = Date.now();
      const beat = setInterval(() => {
        const silent = Date.now() - heard;
        if (silent > (this.live ? PING + PATIENCE : PATIENCE)) this.cut();
        else if (silent > PING) this.send({ type: "ping" });
      }, 2_000);
      s.onopen = hello;
      s.onmessage = (e) => {
        heard = Date.now();
        const f: Frame = JSON.parse(e.data);
        if (f.type === "resync") return hello();
        const begins = f.type === "welcome";
        this.live ||= begins;
        this.to.frame(f);
        if (begins && this.live) this.to.state("live");
      };
      s.onclose = (e) => {
        s.onclose = s.onmessage = null;
        clearInterval(beat);
        done(this.live ? e.code || 1006 : 0);
        this.live = false;
      };
    });
  }

  /**
   * Asks over plain HTTP. The first answer also tells why the websocket failed: an expired token (thrown), no network at all
   * (thrown), or only the websocket being in somebody's way. After two such failures it stays here for a while.
   */
  private async poll(): Promise<void> {
    const take = async (wait: number) => {
      const page = await this.api.events(this.to.last(), wait);
      for (const event of page.items) this.to.frame({ type: "event", seq: event.seq, event });
    };
    await take(0);
    if (++this.refused < 2) return;
    this.tries = 0;
    this.to.state("poll");
    for (const end = Date.now() + RETRY_SOCKET; Date.now() < end; ) await take(25);
    this.refused = 1;
  }
}

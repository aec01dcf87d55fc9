// A small stand-in for the server's side of the wire: what a test needs and nothing more.
import type { Delivery, Message, Ticket } from "@/api/model";
import type { Wire } from "@/live/socket";

export class FakeWire implements Wire {
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;

  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(frame: unknown) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  welcome() {
    this.open();
    this.say({ type: "welcome", agent: {}, build: "1", now: "2026-11-21T12:00:00Z" });
  }
  cut(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  send(data: string) {
    this.sent.push(JSON.parse(data));
  }
  close(code = 1000) {
    this.cut(code);
  }
}

export function message(seq: number, over: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    ticket_id: "t1",
    seq,
    direction: "in",
    author: { kind: "contact", id: "c1", name: "王芳" },
    text: `text ${seq}`,
    html: "",
    quoted: "",
    class: "normal",
    attachments: [],
    repairs: [],
    updated_at: null,
    call: null,
    headers: null,
    channel: null,
    means: "",
    event: null,
    created_at: new Date(Date.UTC(2026, 10, 21, 12, 0, seq)).toISOString(),
    delivery: null,
    ...over,
  };
}

export function ticket(over: Partial<Ticket> = {}): Ticket {
  return {
    id: "t1",
    number: "GD20261121-0001",
    status: "open",
    priority: "normal",
    subject: "退款",
    channel: { id: "ch", kind: "webchat", name: "官网" },
    contact: { id: "c1", name: "王芳", level: "" },
    assignee: { id: "me", name: "Me" },
    team: null,
    tags: [],
    fields: {},
    version: 1,
    created_at: "2026-11-21T12:00:00Z",
    updated_at: "2026-11-21T12:00:00Z",
    first_reply_at: null,
    first_response_due_at: null,
    resolution_due_at: null,
    resolved_at: null,
    closed_at: null,
    last_message: { text: "hi", by: "in", at: "2026-11-21T12:00:00Z" },
    unread: false,
    snoozed_until: null,
    linked_ticket: null,
    callback: null,
    reply: { channel_kind: "webchat", window_closes_at: null, window_reason: "", remaining: -1 },
    ...over,
  };
}

/** Lets everything that is already settled run on. */
export async function settled() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export const delivery = (state: Delivery["state"], attempts = 1): Delivery => ({
  id: "d1",
  state,
  code: "",
  hint: "",
  attempts,
  next_at: null,
});

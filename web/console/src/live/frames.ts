// The frames of /ws, as docs/websocket.md tells them.
import type { Agent, Availability, Counts, LiveCall, Message, Presence, Ticket } from "@/api/model";

export type ClientFrame =
  | { type: "hello"; build: string; tickets: Record<string, number> }
  | { type: "watch"; ticket_id: string; seq: number }
  | { type: "unwatch"; ticket_id: string }
  | { type: "typing"; ticket_id: string; on: boolean }
  | { type: "read"; ticket_id: string; seq: number }
  | { type: "availability"; value: Availability }
  | { type: "ping" };

export type ServerFrame =
  | { type: "welcome"; agent: Agent; build: string; now: string }
  | { type: "message"; ticket_id: string; seq: number; message: Message }
  | { type: "message_update"; ticket_id: string; seq: number; message: Message }
  | { type: "ticket"; ticket_id: string; seq: number; ticket: Ticket }
  | { type: "gone"; ticket_id: string }
  | { type: "resync"; ticket_id?: string }
  | { type: "counts"; counts: Counts }
  | { type: "typing"; ticket_id: string; who: { kind: "contact" | "agent"; id: string; name: string }; on: boolean }
  | ({ type: "presence" } & Omit<Presence, "name"> & { name?: string })
  | { type: "assigned"; ticket_id: string; number: string; reason: string }
  | { type: "call"; call: LiveCall }
  | { type: "window"; ticket_id: string; number: string; closes_at: string | null; remaining: number }
  | { type: "changed"; what: "channels" | "rules" | "people" | "teams" | "channel_log"; channel_id?: string }
  | { type: "error"; code: string; detail: string }
  | { type: "pong" };

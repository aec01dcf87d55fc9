// What the channel a reply leaves by cannot do, known before it is tried.
import type { Capabilities, Message } from "@/api/model";
import { byteLength } from "./text";

export interface Limits {
  used: number; // bytes of the text
  room: number; // bytes of one message, 0: no limit
  parts: number; // messages it leaves as
  tooLong: boolean;
  closed: "" | "window" | "quota"; // why nothing may be written now
  windowLeft: number | null; // ms, null: no window
  remaining: number | null; // replies, null: no limit
}

/** The part of a way that limits it: the ticket's own or a route. */
export interface Limited {
  window_closes_at: string | null;
  remaining: number;
  capabilities?: Capabilities;
  means?: string;
}

export function limits(way: Limited, text: string, now: number): Limits {
  const c = way.capabilities;
  const means = way.means ? c?.means?.find((m) => m.name === way.means) : undefined;
  const room = way.means ? (means?.max_text ?? 0) : (c?.max_text ?? 0);
  const used = byteLength(text);
  const parts = room ? Math.max(1, Math.ceil(used / room)) : 1;
  const windowLeft = way.window_closes_at ? new Date(way.window_closes_at).getTime() - now : null;
  const remaining = way.remaining >= 0 && (c?.quota ?? 1) > 0 ? way.remaining : null;
  return {
    used,
    room,
    parts,
    tooLong: room > 0 && parts > (way.means ? 1 : Math.max(1, c?.max_parts ?? 1)),
    closed: windowLeft !== null && windowLeft <= 0 ? "window" : remaining === 0 ? "quota" : "",
    windowLeft,
    remaining,
  };
}

/** The colleague who answered within the last two minutes, if any did. */
export function justAnswered(messages: Message[], me: string, now: number): Message | undefined {
  return messages
    .slice(-10)
    .reverse()
    .find(
      (m) =>
        m.direction === "out" &&
        m.author.kind === "agent" &&
        m.author.id !== me &&
        now - new Date(m.created_at).getTime() < 120_000,
    );
}

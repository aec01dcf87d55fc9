// The calls that ring or are talked on, as this page shows them: each once, never going back, and gone a moment after it ended.
import type { LiveCall } from "@/api/model";

export interface ShownCall {
  key: string;
  call: LiveCall;
  since: number; // ms, when this page heard of it first
  until: number; // ms, when it leaves by itself; 0: it stays
}

const RANK: Record<string, number> = { ringing: 0, answered: 1, ended: 2 };
const LINGER_MINE = 12_000; // ms an ended call of one's own stays
const LINGER = 4_000; // ms a call stays that somebody else took or that ended elsewhere
const LONGEST_RING = 5 * 60_000; // ms; a call whose end was never heard of leaves then
const MOST = 5; // at once on the screen

/** Call ids are the call centre's: unique only together with the channel. */
export const callKey = (c: LiveCall): string => `${c.channel.id} ${c.id}`;

const leaves = (c: LiveCall, now: number): number => {
  if (c.state === "ended") return now + (c.mine ? LINGER_MINE : LINGER);
  if (c.state === "answered" && !c.mine) return now + LINGER;
  return c.state === "ringing" ? now + LONGEST_RING : 0;
};

/** The list after one more word about a call. An older picture that comes late changes nothing; `put` were dismissed by hand. */
export function heard(list: ShownCall[], call: LiveCall, dismissed: ReadonlySet<string>, now: number): ShownCall[] {
  const key = callKey(call);
  const known = list.find((x) => x.key === key);
  if (known && (RANK[call.state] ?? 0) < (RANK[known.call.state] ?? 0)) return list;
  if (!known && (dismissed.has(key) || (call.state !== "ringing" && !call.mine) || call.state === "ended")) return list;
  const shown: ShownCall = { key, call, since: known?.since ?? now, until: leaves(call, now) };
  if (known) return list.map((x) => (x.key === key ? shown : x));
  return [...list, shown].slice(-MOST);
}

/** Without what has been there long enough. The same list when nothing leaves. */
export function swept(list: ShownCall[], now: number): ShownCall[] {
  return list.some((x) => x.until && x.until <= now) ? list.filter((x) => !x.until || x.until > now) : list;
}

/** The call one key opens: one's own before others', what rings before what is talked on, the latest first. */
export function foremost(list: ShownCall[]): ShownCall | undefined {
  const weight = (x: ShownCall) =>
    (x.call.mine ? 4 : 0) + (x.call.state === "ringing" ? 2 : x.call.state === "answered" ? 1 : 0);
  return [...list].sort((a, b) => weight(b) - weight(a) || b.since - a.since)[0];
}

/** Where a call leads: its ticket, else the caller's latest open one, else the caller. */
export function destination(c: LiveCall): { ticket?: string; contact?: string } {
  const ticket = c.ticket?.id ?? c.open_tickets[0]?.id;
  if (ticket) return { ticket };
  return c.contact ? { contact: c.contact.id } : {};
}

/** Who it is with: the customer's side of the call. */
export const party = (c: { direction: string; from: string; to: string }): string =>
  c.direction === "outbound" ? c.to : c.from;

/** A length of talk: 0:07, 12:30, 1:02:03. */
export function lasting(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** ms a call has rung, or was talked on. */
export function length(
  c: { state: string; started_at: string | null; answered_at: string | null; ended_at: string | null },
  now: number,
): number {
  const from = c.answered_at ?? c.started_at;
  if (!from) return 0;
  const to = c.ended_at ? new Date(c.ended_at).getTime() : now;
  return Math.max(0, to - new Date(from).getTime());
}

const MISSED = ["missed", "busy", "rejected", "failed", "canceled"];
export const isMissed = (outcome: string): boolean => MISSED.includes(outcome);

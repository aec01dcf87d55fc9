// One ticket's timeline as this page has it: messages by id, in the order of their seq, and the ticket's own clock.
import type { Message } from "@/api/model";

export interface Timeline {
  messages: Message[]; // rising seq, each id once
  seq: number; // the ticket's version this page is complete up to; 0: nothing loaded
}

export const emptyTimeline = (): Timeline => ({ messages: [], seq: 0 });

const ORDER: Record<string, number> = {
  queued: 0,
  held: 1,
  sending: 1,
  uncertain: 2,
  failed: 2,
  sent: 3,
  delivered: 4,
  read: 5,
};

/** True when b would undo what a already showed: an older picture of the same message coming late. */
function older(a: Message, b: Message): boolean {
  const from = a.delivery;
  const to = b.delivery;
  if (!from || !to) return false;
  if (to.attempts !== from.attempts) return to.attempts < from.attempts;
  return (ORDER[from.state] ?? 0) >= 3 && (ORDER[to.state] ?? 0) < (ORDER[from.state] ?? 0) && to.state !== "failed";
}

/** Adds or replaces messages by id and keeps the order. */
export function merge(line: Timeline, incoming: Message[]): void {
  for (const msg of incoming) {
    const at = line.messages.findIndex((x) => x.id === msg.id);
    const known = line.messages[at];
    if (known) {
      if (!older(known, msg)) line.messages[at] = msg;
      continue;
    }
    const before = line.messages.findLastIndex((x) => x.seq <= msg.seq);
    line.messages.splice(before + 1, 0, msg);
  }
}

/**
 * Takes a live frame's seq. Returns true when something between what is known and the frame is missing and must be
 * fetched; the clock then stays until the fetch moved it.
 */
export function tick(line: Timeline, seq: number): boolean {
  if (seq <= line.seq) return false;
  if (seq === line.seq + 1) {
    line.seq = seq;
    return false;
  }
  return true;
}

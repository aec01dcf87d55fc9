// Which view a ticket belongs to and what must be answered next, as the server sees it: a live change is shown at its
// place at once, and the list that follows from the server agrees (ticketstore.View).
import type { Ticket, View } from "@/api/model";

const active = (t: Ticket) => t.status === "new" || t.status === "open" || t.status === "waiting";

export const isOverdue = (t: Ticket, now: number): boolean => {
  const due = dueAt(t);
  return active(t) && !!due && new Date(due).getTime() <= now;
};

/** The deadline that runs: the first answer's, then the solution's. */
export function dueAt(t: Ticket): string | null {
  if (!active(t)) return null;
  if (!t.first_reply_at && t.first_response_due_at) return t.first_response_due_at;
  return t.resolution_due_at;
}

export const isSnoozed = (t: Ticket, now: number): boolean =>
  !!t.snoozed_until && new Date(t.snoozed_until).getTime() > now;

export function belongs(view: View, t: Ticket, me: string, now: number): boolean {
  switch (view) {
    case "mine":
      return t.assignee?.id === me && active(t) && !isSnoozed(t, now);
    case "queue":
      return !t.assignee && t.status === "new" && !isSnoozed(t, now);
    case "waiting":
      return t.status === "waiting";
    case "overdue":
      return isOverdue(t, now);
    case "open":
      return active(t);
    case "resolved":
      return t.status === "resolved";
    default:
      return true;
  }
}

// The promise to call a customer back, and what a list says of a call: the store's words for it belong to no language.
import type { Ticket } from "@/api/model";
import { hasText, t } from "@/i18n";
import { urgency } from "./time";

/** How urgent the promise is; "" when there is none to keep. */
export function callbackDue(k: Ticket, now: number): "" | "late" | "soon" | "calm" {
  const c = k.callback;
  if (!c || c.state === "done") return "";
  if (k.status === "closed" || k.status === "archived") return "";
  return c.due_at ? urgency(c.due_at, k.created_at, now) : "soon";
}

/** The words for "call:missed", "call:answered", "callback:due" …; anything else as it is. */
export function lastWords(text: string): string {
  const hit = /^(call|callback):(\w*)$/.exec(text);
  if (!hit) return text;
  const key = `${hit[1] === "call" ? "call.last" : "callback.state"}.${hit[2] || "answered"}`;
  return hasText(key) ? t(key) : hit[1] === "call" ? t("call.last.other") : text;
}

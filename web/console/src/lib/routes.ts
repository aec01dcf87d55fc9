// The ways an answer can leave a ticket: the channel it came by, the customer's other proven addresses, and what is no written
// message (a callback, a template). What the server said when the ticket was loaded is kept true by the clock here.
import type { Route, Ticket } from "@/api/model";
import { hasText, t } from "@/i18n";

const ms = (at: string | null | undefined) => (at ? new Date(at).getTime() : 0);

/** The ticket's own written way, as far as a list's ticket tells it. */
function ownWay(k: Ticket): Route {
  const r = k.reply;
  return {
    id: "",
    channel: k.channel,
    means: "",
    title: { zh: "", en: "" },
    to: "",
    own: true,
    open: true,
    why: "",
    why_code: "",
    window_closes_at: r.window_closes_at,
    remaining: r.remaining,
    capabilities: r.capabilities as Route["capabilities"],
  };
}

/** Why a way is shut at this moment; "" when it is open. Means that work after the window are not shut by it. */
export function shutBy(r: Route, now: number): string {
  if (r.means && r.capabilities?.means?.some((m) => m.name === r.means && m.after_window))
    return r.open ? "" : r.why_code;
  if (r.why_code && r.why_code !== "window_closed" && r.why_code !== "quota_used") return r.why_code;
  if (ms(r.window_closes_at) && ms(r.window_closes_at) <= now) return "window_closed";
  if (r.remaining === 0) return "quota_used";
  return r.open ? "" : r.why_code || "window_closed";
}

/** All ways, the own conversation's with the figures that came over the live line since. */
export function ways(k: Ticket, now: number): Route[] {
  const told = k.reply.routes ?? [ownWay(k)]; // none at all is an answer too
  return told.map((r) => {
    const fresh: Route =
      r.own && (r.means === "" || r.window_closes_at)
        ? { ...r, window_closes_at: k.reply.window_closes_at, remaining: k.reply.remaining }
        : r;
    // A shut own way may have opened: the customer wrote again.
    const renewed =
      r.own &&
      !r.open &&
      (r.why_code === "window_closed" || r.why_code === "quota_used" || r.why_code === "unreachable")
        ? {
            ...fresh,
            open: true,
            why_code: k.reply.window_reason ? ("unreachable" as const) : ("" as const),
            why: k.reply.window_reason ? r.why : "",
          }
        : fresh;
    const code = shutBy(renewed, now);
    return { ...renewed, open: code === "", why_code: code as Route["why_code"] };
  });
}

/** The way that is taken when none was chosen: the wished one while it is there, else the ticket's own. */
export const choose = (all: Route[], wished: string | undefined): Route | undefined =>
  (wished !== undefined && all.find((r) => r.id === wished)) || all.find((r) => r.own && r.means === "") || all[0];

/** Only letters have a subject, copies and a formatted form. */
export const isLetter = (r: Route | undefined): boolean => r?.channel.kind === "email" && r.means === "";

/** What a way is called: its channel, or what it does. A telephone's written messages are text messages. */
export function wayName(r: Route, locale: string): string {
  if (!r.means) return r.channel.kind === "telephony" ? `${t("means.sms")} · ${r.channel.name}` : r.channel.name;
  const title = locale === "en" ? r.title.en || r.title.zh : r.title.zh || r.title.en;
  return title || (hasText(`means.${r.means}`) ? t(`means.${r.means}`) : r.means);
}

/** The offer to take another way: "answer by e-mail (a***@b.com)". */
export function offer(r: Route, locale: string): string {
  if (r.means) return [wayName(r, locale), r.to].filter(Boolean).join(" ");
  const way = hasText(`written.${r.channel.kind}`) ? t(`written.${r.channel.kind}`) : r.channel.name;
  return r.to ? t("composer.insteadTo", { way, to: r.to }) : t("composer.instead", { way });
}

/** Why a way is shut, in the reader's language. */
export const whyShut = (r: Route): string =>
  r.open ? "" : hasText(`composer.closed.${r.why_code}`) ? t(`composer.closed.${r.why_code}`) : r.why;

/** How near the end of a window is: over a quarter of an hour is calm for nobody, under it is late. */
export function nearness(left: number | null): "calm" | "soon" | "late" {
  if (left === null || left > 60 * 60_000) return "calm";
  return left > 15 * 60_000 ? "soon" : "late";
}

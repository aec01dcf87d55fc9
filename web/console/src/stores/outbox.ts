// Sends what was written (live/outbox.ts) through the API and shows it in the timeline while it is on its way.
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import * as api from "@/api";
import { hasText, i18n, t } from "@/i18n";
import { offer } from "@/lib/routes";
import { type OtherWay, Outbox, type Outcome, type OutEntry } from "@/live/outbox";
import { useSession } from "./session";
import { useTimelines } from "./timelines";
import { errorText } from "./toasts";

/** The way a reply was to take is closed: known before it was tried, so nothing left. */
const SHUT = new Set(["window_closed", "quota_used", "route_closed"]);

const shutText = (err: api.ApiError): string =>
  hasText(`composer.closed.${err.code}`) ? t(`composer.closed.${err.code}`) : errorText(err);

function otherWays(err: api.ApiError): OtherWay[] {
  const routes = Array.isArray(err.body.routes) ? (err.body.routes as api.Route[]) : [];
  const locale = i18n.global.locale.value;
  return routes.filter((r) => r.open).map((r) => ({ id: r.id, means: r.means, offer: offer(r, locale) }));
}

export const useOutbox = defineStore("outbox", () => {
  const entries = shallowRef<OutEntry[]>([]);
  let box: Outbox | null = null;

  function start() {
    box?.stop();
    const me = useSession().me;
    if (!me) return;
    box = new Outbox(me.id, send, () => {
      entries.value = box?.entries.map((e) => ({ ...e })) ?? [];
    });
    entries.value = [...box.entries];
    box.flush();
  }

  async function send(e: OutEntry): Promise<Outcome> {
    if (navigator.onLine === false) return { kind: "passing" };
    const body = { text: e.text, attachments: e.attachments.map((a) => a.id), idempotency_key: e.key };
    try {
      const message =
        e.kind === "note"
          ? await api.tickets.note(e.ticket, body)
          : await api.tickets.reply(e.ticket, {
              ...body,
              route: e.route || undefined,
              cc: e.cc?.length ? e.cc : undefined,
              bcc: e.bcc?.length ? e.bcc : undefined,
              subject: e.subject || undefined,
              if_seq: e.if_seq,
              force: e.force,
            });
      useTimelines().add(e.ticket, message);
      return { kind: "done" };
    } catch (err) {
      if (!(err instanceof api.ApiError)) return { kind: "refused", error: errorText(err) };
      if (err.code === "colleague_answered") {
        return { kind: "asks", colleague: String(err.body.name ?? ""), secondsAgo: Number(err.body.seconds_ago ?? 0) };
      }
      if (SHUT.has(err.code)) {
        void useTimelines().load(e.ticket); // the composer shows the same
        return { kind: "shut", error: shutText(err), ways: otherWays(err) };
      }
      if (err.passing || err.status === 401) return { kind: "passing" };
      return { kind: "refused", error: errorText(err) };
    }
  }

  return {
    entries,
    start,
    stop: () => box?.stop(),
    add: (e: Omit<OutEntry, "state">) => box?.add(e),
    again: (key: string, force?: boolean) => box?.again(key, force),
    reroute: (key: string, way: OtherWay) => box?.reroute(key, way),
    take: (key: string) => box?.take(key),
    flush: () => box?.flush(),
  };
});

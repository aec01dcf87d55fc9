// Calls that ring now: heard over the live line, shown on every screen, opened with one key.
import { defineStore } from "pinia";
import { computed, reactive, ref, shallowRef } from "vue";
import { useRouter } from "vue-router";
import type { LiveCall } from "@/api";
import * as api from "@/api";
import { t } from "@/i18n";
import { callKey, destination, foremost, heard, party, type ShownCall, swept } from "@/lib/calls";
import { notify } from "@/lib/notify";
import { usePrefs } from "./prefs";
import { useTickets } from "./tickets";

export const useCalls = defineStore("calls", () => {
  const list = shallowRef<ShownCall[]>([]);
  const dismissed = reactive(new Set<string>());
  const spoken = ref(""); // for screen readers: who calls
  const router = useRouter();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const who = (c: LiveCall): string =>
    c.contact?.name || c.from_name || (party(c) === "anonymous" || !party(c) ? t("call.anonymous") : party(c));

  function hear(call: LiveCall) {
    const before = list.value;
    list.value = heard(before, call, dismissed, Date.now());
    if (list.value === before) return;
    plan();
    const isNew = !before.some((x) => x.key === callKey(call));
    if (!isNew || call.state !== "ringing" || call.direction === "outbound") return;
    const words = [who(call), call.contact?.level.toUpperCase(), call.queue].filter(Boolean).join(" · ");
    spoken.value = t("call.spoken", { who: words });
    notify(t("call.inbound"), words, destination(call).ticket ?? "");
    if (call.mine && usePrefs().prefs.ring) void import("@/lib/ring").then((m) => m.ring(() => rings(callKey(call))));
  }

  /** What rings already when the page comes, and after the line was lost. */
  async function catchUp() {
    const page = await api.calls.list();
    const now = Date.now();
    const there = new Set(page.items.map(callKey));
    list.value = list.value.filter((x) => x.call.state === "ended" || there.has(x.key));
    for (const c of page.items) list.value = heard(list.value, c, dismissed, now);
    plan();
  }

  const rings = (key: string) => list.value.some((x) => x.key === key && x.call.state === "ringing");

  /** Wakes up when the next call is due to leave. */
  function plan() {
    clearTimeout(timer);
    const next = Math.min(...list.value.map((x) => x.until || Number.POSITIVE_INFINITY));
    if (!Number.isFinite(next)) return;
    timer = setTimeout(
      () => {
        list.value = swept(list.value, Date.now());
        plan();
      },
      Math.max(50, next - Date.now() + 10),
    );
  }

  function dismiss(key: string) {
    dismissed.add(key);
    list.value = list.value.filter((x) => x.key !== key);
    plan();
  }

  /** Shows what the call is about: its ticket, the caller's latest open one, or the caller. */
  function open(shown: ShownCall | undefined = foremost(list.value), ticket = "") {
    if (!shown) return;
    const to = ticket ? { ticket } : destination(shown.call);
    if (to.ticket) void router.push(`/inbox/${useTickets().view}/${to.ticket}`);
    else if (to.contact) void router.push(`/contacts/${to.contact}`);
  }

  /** Opens the n-th (from 1) open ticket of the foremost call. */
  function openNth(n: number) {
    const first = foremost(list.value);
    const ticket = first?.call.open_tickets[n - 1];
    if (ticket) open(first, ticket.id);
  }

  function forget() {
    clearTimeout(timer);
    list.value = [];
    dismissed.clear();
    spoken.value = "";
  }

  const first = computed(() => foremost(list.value)?.key ?? "");
  return { list, spoken, first, who, hear, catchUp, dismiss, open, openNth, forget };
});

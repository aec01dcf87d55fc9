// The tickets this page knows and the list it shows. The list never reorders under the pointer: while it is held, rows
// change in place and what is new waits behind a button.
import { defineStore } from "pinia";
import { computed, reactive, ref, shallowRef } from "vue";
import * as api from "@/api";
import { belongs } from "@/lib/order";
import { now } from "@/lib/time";
import { useSession } from "./session";

const PAGE = 50;
const REFRESH = 700; // ms after a live change until the list is asked again
const REFRESH_MOST = 4_000; // at most this often

export const useTickets = defineStore("tickets", () => {
  const byId = reactive(new Map<string, api.Ticket>());
  const counts = ref<Partial<api.Counts>>({});
  const view = ref<api.View>("mine");
  const target = shallowRef<string[]>([]); // the order the server gave, live changes included
  const shown = shallowRef<string[]>([]); // the order on the screen
  const next = ref("");
  const loading = ref(false); // the first load of a view
  const more = ref(false);
  const failed = ref<unknown>(null);
  const held = ref(false);
  const left = reactive(new Set<string>()); // tickets that went out of this agent's scope
  const cache = new Map<api.View, string[]>();
  let asked = 0;
  let lastRefresh = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const fresh = computed(() => target.value.filter((id) => !shown.value.includes(id)).length);
  const rows = computed(() => shown.value.map((id) => byId.get(id)).filter((t): t is api.Ticket => !!t));
  const inView = (id: string) => target.value.includes(id);

  /** Keeps the newest picture of a ticket. */
  function put(t: api.Ticket): api.Ticket {
    left.delete(t.id);
    const old = byId.get(t.id);
    if (old && old.version > t.version) return old;
    const capabilities = t.reply?.capabilities ?? old?.reply.capabilities;
    const routes = t.reply?.routes ?? old?.reply.routes;
    const kept = { ...t, reply: { ...t.reply, ...(capabilities && { capabilities }), ...(routes && { routes }) } };
    byId.set(t.id, kept);
    return kept;
  }

  function show() {
    shown.value = target.value;
  }

  function setTarget(ids: string[]) {
    target.value = ids;
    cache.set(view.value, ids);
    if (!held.value) show();
  }

  /** Turns to a view: what is remembered at once, then what the server says. */
  async function open(v: api.View) {
    view.value = v;
    failed.value = null;
    const remembered = cache.get(v);
    target.value = remembered ?? [];
    show();
    next.value = "";
    loading.value = !remembered;
    await refresh();
  }

  /** Asks the list again, silently. */
  async function refresh() {
    clearTimeout(timer);
    timer = undefined;
    const v = view.value;
    const turn = ++asked;
    lastRefresh = Date.now();
    const limit = Math.min(200, Math.max(PAGE, target.value.length));
    try {
      const page = await api.tickets.list({ view: v, limit });
      if (turn !== asked || v !== view.value) return;
      for (const t of page.items) put(t);
      next.value = page.next;
      failed.value = null;
      setTarget(page.items.map((t) => t.id));
    } catch (e) {
      if (turn === asked) failed.value = e;
    } finally {
      if (turn === asked) loading.value = false;
    }
  }

  async function loadMore() {
    if (!next.value || more.value) return;
    more.value = true;
    const v = view.value;
    try {
      const page = await api.tickets.list({ view: v, limit: PAGE, cursor: next.value });
      if (v !== view.value) return;
      for (const t of page.items) put(t);
      next.value = page.next;
      setTarget([...target.value, ...page.items.map((t) => t.id).filter((id) => !target.value.includes(id))]);
      show();
    } catch {
      next.value = "";
    } finally {
      more.value = false;
    }
  }

  /** A live change: shown at once in its row; membership at once, the exact place when the server answers. */
  function changed(t: api.Ticket) {
    put(t);
    const me = useSession().me?.id ?? "";
    const belongsHere = belongs(view.value, t, me, Date.now());
    if (belongsHere !== target.value.includes(t.id)) {
      setTarget(belongsHere ? [t.id, ...target.value] : target.value.filter((id) => id !== t.id));
    }
    refreshSoon();
  }

  function gone(id: string) {
    left.add(id);
    setTarget(target.value.filter((x) => x !== id));
    shown.value = shown.value.filter((x) => x !== id);
    byId.delete(id);
  }

  function refreshSoon() {
    if (timer) return;
    timer = setTimeout(refresh, Math.max(REFRESH, lastRefresh + REFRESH_MOST - Date.now()));
  }

  /** While held (the pointer is on the list) nothing moves. */
  function hold(on: boolean) {
    held.value = on;
    if (!on) show();
  }

  async function loadCounts() {
    counts.value = await api.tickets.counts();
  }

  function patch(id: string, change: Partial<api.Ticket>) {
    const t = byId.get(id);
    if (t) byId.set(id, { ...t, ...change });
  }

  function forget() {
    clearTimeout(timer);
    byId.clear();
    cache.clear();
    target.value = shown.value = [];
    counts.value = {};
  }

  return {
    byId,
    counts,
    view,
    rows,
    next,
    loading,
    more,
    failed,
    held,
    fresh,
    now,
    left,
    inView,
    put,
    open,
    refresh,
    loadMore,
    changed,
    gone,
    refreshSoon,
    hold,
    show,
    loadCounts,
    patch,
    forget,
  };
});

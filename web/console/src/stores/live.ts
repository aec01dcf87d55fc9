// The live line as the screens see it: its state, and each frame handed to the store it belongs to.
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import type { Availability } from "@/api";
import { i18n, t } from "@/i18n";
import { notify, openTicket } from "@/lib/notify";
import { span } from "@/lib/time";
import type { ServerFrame } from "@/live/frames";
import { Live, type LiveState, type Wire } from "@/live/socket";
import { useCalls } from "./calls";
import { useOutbox } from "./outbox";
import { usePeople } from "./people";
import { useSession } from "./session";
import { useTickets } from "./tickets";
import { useTimelines } from "./timelines";
import { useToasts } from "./toasts";

export const useLive = defineStore("live", () => {
  const state = ref<LiveState>("off");
  const changed = ref<{ what: string; at: number; id?: string }>({ what: "", at: 0 }); // an admin list to load again
  const attention = shallowRef<ReadonlySet<string>>(new Set()); // tickets that call for this agent
  let live: Live | null = null;
  let build = "";
  let welcomed = false;

  function start() {
    live?.stop();
    welcomed = false;
    build = useSession().info?.build ?? "";
    live = new Live({
      open: () =>
        new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`) as unknown as Wire,
      build,
      onFrame: dispatch,
      onState: (s) => {
        state.value = s;
      },
    });
    live.start();
  }

  function stop() {
    live?.stop();
    live = null;
    state.value = "off";
    attention.value = new Set();
  }

  addEventListener("online", () => live?.hurry());
  addEventListener("offline", () => live?.cut());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") live?.hurry();
  });

  function dispatch(f: ServerFrame) {
    const tickets = useTickets();
    const timelines = useTimelines();
    switch (f.type) {
      case "welcome":
        return welcome(f.build);
      case "message":
      case "message_update":
        timelines.heard(f.ticket_id, f.seq, f.message);
        if (f.type === "message" && f.message.direction === "in") customerWrote(f.ticket_id, f.message.text);
        return;
      case "ticket":
        tickets.changed(f.ticket);
        return timelines.ticketMoved(f.ticket_id, f.ticket);
      case "gone":
        return tickets.gone(f.ticket_id);
      case "resync":
        return resync(f.ticket_id);
      case "counts":
        tickets.counts = f.counts;
        return;
      case "typing":
        return timelines.typing(f.ticket_id, f.who, f.on);
      case "presence":
        return usePeople().seen(f);
      case "call":
        return useCalls().hear(f.call);
      case "window":
        return windowCloses(f.ticket_id, f.number, f.closes_at);
      case "assigned":
        return assigned(f.ticket_id, f.number);
      case "changed":
        changed.value = { what: f.what, at: Date.now(), id: f.channel_id };
        if (f.what === "people" || f.what === "teams")
          void usePeople()
            .load()
            .catch(() => {});
        return;
    }
  }

  /** The line is up. After a loss everything shown is asked again, silently. */
  function welcome(serverBuild: string) {
    if (welcomed) {
      void useTickets().refresh();
      void useTickets()
        .loadCounts()
        .catch(() => {});
      void usePeople()
        .load()
        .catch(() => {});
      void useTimelines().catchUp();
      if (build && serverBuild && serverBuild !== build) {
        useToasts().info(t("live.newVersion"), { label: t("live.reload"), run: () => location.reload() });
      }
    }
    welcomed = true;
    void useCalls()
      .catchUp()
      .catch(() => {});
    useOutbox().flush();
  }

  function resync(ticket?: string) {
    const timelines = useTimelines();
    if (ticket) return void timelines.load(ticket);
    void useTickets().refresh();
    void useTickets()
      .loadCounts()
      .catch(() => {});
    for (const id of timelines.lines.keys()) void timelines.load(id);
  }

  function assigned(id: string, number: string) {
    const looking = document.visibilityState === "visible" && location.pathname.endsWith(`/${id}`);
    if (!looking) call(id);
    const subject = useTickets().byId.get(id)?.subject ?? "";
    notify(t("notify.assigned", { number }), subject, id);
  }

  /** The time to answer runs out: said once, with the way there, and marked in the list. */
  function windowCloses(id: string, number: string, at: string | null) {
    const tickets = useTickets();
    const ticket = tickets.byId.get(id);
    const who = ticket?.contact.name || number || ticket?.number || "";
    const left = at ? span(new Date(at).getTime() - Date.now(), i18n.global.locale.value, true) : "";
    useToasts().info(left ? t("notify.window", { who, span: left }) : t("notify.windowSoon", { who }), {
      label: t("keys.open"),
      run: () => openTicket(id),
    });
    notify(number, t("notify.windowSoon", { who }), id);
    call(id);
  }

  function customerWrote(id: string, text: string) {
    const ticket = useTickets().byId.get(id);
    if (ticket?.assignee?.id !== useSession().me?.id) return;
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    call(id);
    notify(ticket?.contact.name || ticket?.number || "", text, id);
  }

  function call(id: string) {
    attention.value = new Set([...attention.value, id]);
  }

  function seen(id: string) {
    if (!attention.value.has(id)) return;
    attention.value = new Set([...attention.value].filter((x) => x !== id));
  }

  return {
    state,
    changed,
    attention,
    start,
    stop,
    seen,
    watch: (id: string, seq: number) => live?.watch(id, seq),
    knows: (id: string, seq: number) => live?.known.has(id) && live.known.set(id, seq),
    unwatch: (id: string) => live?.unwatch(id),
    read: (id: string, seq: number) => live?.send({ type: "read", ticket_id: id, seq }) ?? false,
    typing: (id: string, on: boolean) => live?.send({ type: "typing", ticket_id: id, on }) ?? false,
    availability: (value: Availability) => live?.send({ type: "availability", value }) ?? false,
    hurry: () => live?.hurry(),
  };
});

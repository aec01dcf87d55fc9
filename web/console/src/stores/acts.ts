// What an agent does to a ticket: one place for the call, its confirmation and its failure, whether it came from a button, a
// key or the palette. Acts that need words open a dialog.
import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { useRouter } from "vue-router";
import * as api from "@/api";
import { t } from "@/i18n";
import { useSession } from "./session";
import { useTickets } from "./tickets";
import { useTimelines } from "./timelines";
import { useToasts } from "./toasts";

export type ActDialog = "transfer" | "close" | "reopen" | "merge" | "split" | "snooze";

/** Whom a new ticket is for, as far as that is known where it was begun. */
export interface Starting {
  contact?: string;
  name?: string;
  to?: string;
}

export const useActs = defineStore("acts", () => {
  const dialog = ref<ActDialog | null>(null);
  const ticket = ref("");
  const message = ref("");
  const agent = ref("");
  const busy = shallowRef<ReadonlySet<string>>(new Set());
  const palette = ref(false);
  const help = ref(false);
  const focusComposer = ref<{ mode: "reply" | "note"; at: number } | null>(null);
  const chooseWay = ref(0); // when the menu of ways to answer was asked for
  const starting = ref<Starting | null>(null); // the ticket that is being written to a customer
  const router = useRouter();

  /** Opens the dialog of a new ticket, to somebody when he is known. */
  const write = (to: Starting = {}) => {
    starting.value = to;
  };

  /** Opens a dialog; forAgent is whom a transfer is for already. */
  function ask(what: ActDialog, id: string, messageId = "", forAgent = "") {
    ticket.value = id;
    agent.value = forAgent;
    message.value = messageId;
    dialog.value = what;
  }

  /** Runs an act once at a time and shows what came of it. Null: it failed and was told. */
  async function run(
    name: string,
    act: () => Promise<api.Ticket>,
    done?: string,
    undo?: () => void,
  ): Promise<api.Ticket | null> {
    if (busy.value.has(name)) return null;
    busy.value = new Set([...busy.value, name]);
    const tickets = useTickets();
    try {
      const after = await act();
      // Who gives a ticket away may be told that it is out of his sight before the answer comes.
      if (!tickets.left.has(after.id)) tickets.changed(tickets.put(after));
      if (done) useToasts().ok(done, undo && { label: t("act.undo"), run: undo });
      return after;
    } catch (e) {
      useToasts().error(e);
      if (e instanceof api.ApiError && e.status === 409) tickets.refreshSoon();
      return null;
    } finally {
      busy.value = new Set([...busy.value].filter((x) => x !== name));
    }
  }

  const claim = (id: string) => run("claim", () => api.tickets.claim(id), t("done.claimed"));
  const resolve = (id: string) =>
    run(
      "resolve",
      () => api.tickets.resolve(id),
      t("done.resolved"),
      () => void run("reopen", () => api.tickets.reopen(id, t("act.undo")), t("done.reopened")),
    );
  const close = (id: string, reason: string) =>
    run("close", () => api.tickets.close(id, reason || undefined), t("done.closed"));
  const reopen = (id: string, reason: string) =>
    run("reopen", () => api.tickets.reopen(id, reason), t("done.reopened"));
  const gave = ref(""); // the ticket this agent gave away last: its leaving needs no word
  const transfer = (id: string, to: { to_team?: string; to_agent?: string }, reason: string) => {
    gave.value = id;
    return run("transfer", () => api.tickets.transfer(id, { ...to, reason }), t("done.transferred"));
  };
  const change = (id: string, body: api.TicketChange, done?: string) =>
    run("change", () => api.tickets.change(id, body), done);
  const snooze = (id: string, until: string | null) =>
    change(id, { snoozed_until: until }, until ? t("done.snoozed") : t("done.woken"));

  /** Sets the promise to call back by hand: done, or due again at a time. */
  const callback = (id: string, state: "done" | "due", due_at?: string) =>
    run(
      "callback",
      () => api.tickets.callback(id, { state, due_at }),
      state === "done" ? t("callback.wasDone") : t("done.saved"),
      state === "done" ? () => void callback(id, "due") : undefined,
    );

  async function merge(id: string, into: string) {
    const after = await run("merge", () => api.tickets.merge(id, into), t("done.merged"));
    if (after) await router.push(`/inbox/${useTickets().view}/${after.id}`);
    return after;
  }

  async function split(id: string, messageId: string) {
    const after = await run("split", () => api.tickets.split(id, messageId), t("done.split"));
    if (after) {
      void useTimelines().load(id);
      await router.push(`/inbox/${useTickets().view}/${after.id}`);
    }
    return after;
  }

  /** Whether this agent may act at all: closed tickets are read only. */
  const done = (ticket: api.Ticket) => ticket.status === "closed" || ticket.status === "archived";
  const isMine = (ticket: api.Ticket) => ticket.assignee?.id === useSession().me?.id;

  return {
    dialog,
    ticket,
    message,
    agent,
    gave,
    busy,
    palette,
    help,
    focusComposer,
    chooseWay,
    starting,
    write,
    callback,
    ask,
    claim,
    resolve,
    close,
    reopen,
    transfer,
    change,
    snooze,
    merge,
    split,
    done,
    isMine,
  };
});

// The conversations opened on this page: their messages, complete up to a seq, and who is typing.
import { defineStore } from "pinia";
import { reactive } from "vue";
import * as api from "@/api";
import { fill } from "@/live/gaps";
import { emptyTimeline, merge, type Timeline, tick } from "@/live/timeline";
import { useLive } from "./live";
import { useTickets } from "./tickets";

export interface Line extends Timeline {
  loaded: boolean;
  error: unknown;
  earlier: boolean; // there is more above
  loadingEarlier: boolean;
  filling: boolean;
  readSeq: number;
}

export interface Typist {
  ticket: string;
  kind: "contact" | "agent";
  id: string;
  name: string;
  until: number;
}

const PAGE = 50;
const KEPT = 8; // conversations kept watched, for turning back to them at once
const TYPING = 6_000; // ms

export const useTimelines = defineStore("timelines", () => {
  const lines = reactive(new Map<string, Line>());
  const typists = reactive(new Map<string, Typist>());
  const recent: string[] = [];

  async function open(id: string) {
    const known = lines.get(id);
    touch(id);
    if (known?.loaded) return;
    lines.set(id, {
      ...emptyTimeline(),
      loaded: false,
      error: null,
      earlier: false,
      loadingEarlier: false,
      filling: false,
      readSeq: 0,
    });
    await load(id);
  }

  /** Loads the end of a conversation anew. Everything up to the version known before is in the answer. */
  async function load(id: string) {
    const line = lines.get(id);
    if (!line) return;
    const tickets = useTickets();
    const before = tickets.byId.get(id)?.version ?? 0;
    try {
      const [ticket, page] = await Promise.all([api.tickets.get(id), api.tickets.messages(id, { limit: PAGE })]);
      tickets.put(ticket);
      merge(line, page.items);
      line.seq = Math.max(line.seq, before, page.items.at(-1)?.seq ?? 0);
      line.earlier = page.items.length >= PAGE;
      line.error = null;
      line.loaded = true;
      useLive().watch(id, line.seq);
    } catch (e) {
      line.error = e;
    }
  }

  async function loadEarlier(id: string) {
    const line = lines.get(id);
    const first = line?.messages[0];
    if (!line || !first || !line.earlier || line.loadingEarlier) return;
    line.loadingEarlier = true;
    try {
      const page = await api.tickets.messages(id, { before: first.seq, limit: PAGE });
      merge(line, page.items);
      line.earlier = page.items.length >= PAGE;
    } finally {
      line.loadingEarlier = false;
    }
  }

  /** A message came or changed over the live line. */
  function heard(id: string, seq: number, message: api.Message) {
    const line = lines.get(id);
    if (!line) return;
    merge(line, [message]);
    const gap = tick(line, seq);
    useLive().knows(id, line.seq);
    if (message.author.id) typists.delete(`${id} ${message.author.id}`);
    if (gap && line.loaded) void mend(id, seq);
  }

  /** The ticket changed: when it speaks of a message this page has not, it is fetched. */
  function ticketMoved(id: string, ticket: api.Ticket) {
    const line = lines.get(id);
    if (!line?.loaded || ticket.version <= line.seq) return;
    setTimeout(() => {
      const said = ticket.last_message?.at ? new Date(ticket.last_message.at).getTime() : 0;
      const have = Math.max(0, ...line.messages.slice(-20).map((m) => new Date(m.created_at).getTime()));
      if (said > have) void mend(id, ticket.version);
    }, 400);
  }

  async function mend(id: string, seq: number) {
    const line = lines.get(id);
    if (!line || line.filling) return;
    line.filling = true;
    try {
      await fill(line, { messages: (q) => api.tickets.messages(id, q) }, seq);
      useLive().knows(id, line.seq);
    } catch {
      // The next frame or the next welcome tries again: the clock did not move.
    } finally {
      line.filling = false;
    }
  }

  /** After a loss: everything open is asked for what came after. */
  async function catchUp() {
    await Promise.all([...lines].filter(([, l]) => l.loaded).map(([id, l]) => mend(id, l.seq)));
  }

  function typing(ticket: string, who: { kind: "contact" | "agent"; id: string; name: string }, on: boolean) {
    const key = `${ticket} ${who.id}`;
    if (!on) {
      typists.delete(key);
      return;
    }
    const until = Date.now() + TYPING;
    typists.set(key, { ticket, ...who, until });
    setTimeout(() => {
      if ((typists.get(key)?.until ?? 0) <= Date.now()) typists.delete(key);
    }, TYPING + 50);
  }

  function add(id: string, message: api.Message) {
    const line = lines.get(id);
    if (line) merge(line, [message]);
  }

  function touch(id: string) {
    const at = recent.indexOf(id);
    if (at >= 0) recent.splice(at, 1);
    recent.push(id);
    while (recent.length > KEPT) close(recent[0] as string);
  }

  function close(id: string) {
    const at = recent.indexOf(id);
    if (at >= 0) recent.splice(at, 1);
    lines.delete(id);
    useLive().unwatch(id);
  }

  function forget() {
    lines.clear();
    typists.clear();
    recent.length = 0;
  }

  return { lines, typists, open, load, loadEarlier, heard, ticketMoved, mend, catchUp, typing, add, close, forget };
});

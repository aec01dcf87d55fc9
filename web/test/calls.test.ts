import { expect, test } from "vitest";
import type { LiveCall } from "@/api/model";
import { destination, foremost, heard, isMissed, lasting, length, party, type ShownCall, swept } from "@/lib/calls";

const none: ReadonlySet<string> = new Set();
const call = (over: Partial<LiveCall> = {}): LiveCall => ({
  id: "c1",
  channel: { id: "ch", kind: "telephony", name: "热线" },
  state: "ringing",
  direction: "inbound",
  from: "+8613800135678",
  from_name: "",
  to: "400",
  queue: "",
  contact: null,
  ticket: null,
  open_tickets: [],
  agent_ids: [],
  mine: true,
  started_at: "2026-11-21T12:00:00Z",
  answered_at: null,
  ended_at: null,
  outcome: "",
  ...over,
});
const hear = (list: ShownCall[], over: Partial<LiveCall>, now = 0, dismissed = none) =>
  heard(list, call(over), dismissed, now);

test("a call stands once, and a late picture does not take it back", () => {
  let list = hear([], {});
  list = hear(list, { state: "answered" });
  const answered = list;
  list = hear(list, { state: "ringing" });
  expect(list).toBe(answered);
  expect(list.map((x) => x.call.state)).toEqual(["answered"]);
});

test("the same id on another channel is another call", () => {
  const list = hear(hear([], {}), { channel: { id: "other", kind: "telephony", name: "" } });
  expect(list).toHaveLength(2);
});

test("what was dismissed does not pop up again, and nothing begins with its end", () => {
  expect(hear([], {}, 0, new Set(["ch c1"]))).toEqual([]);
  expect(hear([], { state: "ended" })).toEqual([]);
  expect(hear([], { state: "answered", mine: false })).toEqual([]);
  expect(hear([], { state: "answered", mine: true })).toHaveLength(1);
});

test("an ended call leaves after a moment, one's own later, one that is talked on stays", () => {
  const talking = hear([], { state: "answered" }, 1000);
  expect(swept(talking, 10_000_000)).toBe(talking);
  const ended = hear(talking, { state: "ended" }, 2000);
  expect(swept(ended, 13_000)).toHaveLength(1);
  expect(swept(ended, 15_000)).toHaveLength(0);
  const elsewhere = hear(hear([], { mine: false }), { state: "answered", mine: false }, 2000);
  expect(swept(elsewhere, 7000)).toHaveLength(0);
});

test("a call nobody told the end of does not ring for ever", () => {
  expect(swept(hear([], {}, 0), 6 * 60_000)).toEqual([]);
});

test("the key opens one's own call before another's, and what rings before what is talked on", () => {
  let list = hear([], { id: "theirs", mine: false }, 1);
  list = hear(list, { id: "talk", state: "answered" }, 2);
  list = hear(list, { id: "mine" }, 3);
  expect(foremost(list)?.call.id).toBe("mine");
  expect(foremost(list.filter((x) => x.call.id !== "mine"))?.call.id).toBe("talk");
  expect(foremost([])).toBeUndefined();
});

test("a call leads to its ticket, else to an open one, else to the caller, else nowhere", () => {
  const open = { id: "t2", number: "2", subject: "", status: "open" as const };
  expect(destination(call({ ticket: { id: "t1", number: "1" }, open_tickets: [open] }))).toEqual({ ticket: "t1" });
  expect(destination(call({ open_tickets: [open] }))).toEqual({ ticket: "t2" });
  expect(destination(call({ contact: { id: "k", name: "", level: "" } }))).toEqual({ contact: "k" });
  expect(destination(call())).toEqual({});
});

test("lengths read as clocks do, and the customer is on the other side of an outgoing call", () => {
  expect([0, 7_900, 750_000, 3_723_000].map(lasting)).toEqual(["0:00", "0:07", "12:30", "1:02:03"]);
  expect(party(call({ direction: "outbound" }))).toBe("400");
  const at = Date.parse("2026-11-21T12:00:30Z");
  expect(length(call(), at)).toBe(30_000);
  expect(length(call({ answered_at: "2026-11-21T12:00:20Z" }), at)).toBe(10_000);
  expect(length(call({ answered_at: "2026-11-21T12:00:20Z", ended_at: "2026-11-21T12:00:25Z" }), at)).toBe(5_000);
  expect(["missed", "canceled", "answered", "voicemail"].map(isMissed)).toEqual([true, true, false, false]);
});

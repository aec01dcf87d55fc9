import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { emptyDraft, loadDraft, saveDraft } from "@/live/drafts";
import { Outbox, type Outcome, type OutEntry } from "@/live/outbox";
import { settled } from "./fakes";

const entry = (key: string, ticket = "t1", text = key): Omit<OutEntry, "state"> => ({
  key,
  ticket,
  kind: "reply",
  text,
  attachments: [],
  at: `2026-11-21T12:00:0${key.slice(-1)}Z`,
});

let sent: string[];
let answer: (e: OutEntry) => Outcome | Promise<Outcome>;
const make = (agent = "a") =>
  new Outbox(agent, async (e) => {
    sent.push(e.key);
    return answer(e);
  });

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sent = [];
  answer = () => ({ kind: "done" });
});
afterEach(() => vi.useRealTimers());

test("what was written off line goes out once, in order, when the line is back", async () => {
  answer = () => ({ kind: "passing" });
  const box = make();
  box.add(entry("k1"));
  box.add(entry("k2"));
  await settled();
  expect(box.entries.map((e) => e.state)).toEqual(["waiting", "waiting"]);
  answer = () => ({ kind: "done" });
  sent = [];
  box.flush();
  box.flush();
  await settled();
  expect(sent).toEqual(["k1", "k2"]);
  expect(box.entries).toEqual([]);
  expect(localStorage.length).toBe(0);
});

test("a reload keeps what was not confirmed and sends it with the same key", async () => {
  answer = () => new Promise(() => {});
  const before = make();
  before.add(entry("k1"));
  await settled();
  before.stop();
  answer = () => ({ kind: "done" });
  const after = make();
  expect(after.entries.map((e) => [e.key, e.state])).toEqual([["k1", "waiting"]]);
  after.flush();
  await settled();
  expect(sent).toEqual(["k1", "k1"]);
  expect(after.entries).toEqual([]);
});

test("one agent never sees what another left behind", () => {
  answer = () => new Promise(() => {});
  make("a").add(entry("k1"));
  expect(make("b").entries).toEqual([]);
});

test("tickets do not wait for each other", async () => {
  answer = (e) => (e.ticket === "t1" ? new Promise<Outcome>(() => {}) : { kind: "done" });
  const box = make();
  box.add(entry("k1", "t1"));
  box.add(entry("k2", "t2"));
  await settled();
  expect(box.entries.map((e) => e.key)).toEqual(["k1"]);
});

test("a colleague's answer makes it ask, and it goes only when told to", async () => {
  answer = (e) => (e.force ? { kind: "done" } : { kind: "asks", colleague: "李雷", secondsAgo: 4 });
  const box = make();
  box.add(entry("k1"));
  box.add(entry("k2"));
  await settled();
  expect(box.entries.map((e) => e.state)).toEqual(["asks", "waiting"]);
  expect(box.entries[0]?.colleague).toBe("李雷");
  box.flush();
  await settled();
  expect(sent).toEqual(["k1"]);
  answer = () => ({ kind: "done" });
  box.again("k1", true);
  await settled();
  expect(sent).toEqual(["k1", "k1", "k2"]);
});

test("a refused one can be taken back for editing", async () => {
  answer = () => ({ kind: "refused", error: "too long" });
  const box = make();
  box.add(entry("k1"));
  await settled();
  expect(box.entries[0]?.error).toBe("too long");
  expect(box.take("k1")?.text).toBe("k1");
  expect(box.entries).toEqual([]);
  expect(localStorage.length).toBe(0);
});

test("passing failures are tried again by themselves, ever more slowly", async () => {
  answer = () => ({ kind: "passing" });
  const box = make();
  box.add(entry("k1"));
  for (const wait of [1000, 2000, 4000, 8000, 15000, 15000]) {
    await settled();
    const n = sent.length;
    vi.advanceTimersByTime(wait - 1);
    await settled();
    expect(sent.length).toBe(n);
    vi.advanceTimersByTime(1);
    await settled();
    expect(sent.length).toBe(n + 1);
  }
  box.stop();
});

test("full storage does not stop the sending", async () => {
  const set = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  const box = make();
  box.add(entry("k1"));
  await settled();
  expect(sent).toEqual(["k1"]);
  set.mockRestore();
});

test("a draft survives reload, per agent and ticket, and an empty one leaves nothing", () => {
  const d = { ...emptyDraft(), reply: "您好", note: "VIP", mode: "note" as const };
  saveDraft("a", "t1", d);
  expect(loadDraft("a", "t1")).toEqual(d);
  expect(loadDraft("a", "t2")).toEqual(emptyDraft());
  expect(loadDraft("b", "t1")).toEqual(emptyDraft());
  saveDraft("a", "t1", emptyDraft());
  expect(localStorage.length).toBe(0);
});

test("a draft in a broken form is as none", () => {
  localStorage.setItem("hb.draft.a.t1", "{broken");
  expect(loadDraft("a", "t1")).toEqual(emptyDraft());
});

test("a reply whose way is shut waits with the ways that are open, and leaves by the one chosen", async () => {
  answer = () => ({ kind: "shut", error: "over", ways: [{ id: "m", means: "", offer: "by e-mail" }] });
  const box = make();
  box.add({ ...entry("k1"), cc: ["a@b.com"], subject: "x" });
  box.add(entry("k2"));
  await settled();
  expect(box.entries.map((e) => [e.key, e.state, e.text])).toEqual([
    ["k1", "shut", "k1"],
    ["k2", "waiting", "k2"],
  ]);
  const way = box.entries[0]?.ways?.[0];
  const seen: OutEntry[] = [];
  answer = (e) => {
    seen.push({ ...e });
    return { kind: "done" };
  };
  if (way) box.reroute("k1", way);
  await settled();
  expect(seen.map((e) => [e.key, e.route, e.cc, e.subject])).toEqual([
    ["k1", "m", undefined, undefined],
    ["k2", undefined, undefined, undefined],
  ]);
  expect(box.entries).toEqual([]);
});

test("a shut reply survives a reload with its ways", async () => {
  answer = () => ({ kind: "shut", error: "over", ways: [{ id: "m", means: "", offer: "by e-mail" }] });
  const before = make();
  before.add(entry("k1"));
  await settled();
  before.stop();
  const after = make();
  after.flush();
  await settled();
  expect(after.entries.map((e) => [e.state, e.ways?.length])).toEqual([["shut", 1]]);
});

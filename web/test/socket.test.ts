import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ServerFrame } from "@/live/frames";
import { backoff, Live, type LiveState } from "@/live/socket";
import { FakeWire } from "./fakes";

let wires: FakeWire[];
let frames: ServerFrame[];
let states: LiveState[];
let live: Live;
const last = () => wires.at(-1) as FakeWire;

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  frames = [];
  states = [];
  live = new Live({
    open: () => {
      const w = new FakeWire();
      wires.push(w);
      return w;
    },
    build: "7",
    onFrame: (f) => frames.push(f),
    onState: (s) => states.push(s),
    random: () => 1,
  });
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

test("hello is the first frame and is live only after welcome", () => {
  live.start();
  last().open();
  expect(last().sent).toEqual([{ type: "hello", build: "7", tickets: {} }]);
  expect(live.state).toBe("connecting");
  last().say({ type: "welcome", agent: {}, build: "7", now: "" });
  expect(states).toEqual(["connecting", "live"]);
});

test("after a loss hello tells every watched ticket with its last seq", () => {
  live.start();
  last().welcome();
  live.watch("a", 3);
  live.watch("b", 9);
  live.unwatch("b");
  live.known.set("a", 5);
  last().cut();
  expect(live.state).toBe("lost");
  vi.advanceTimersByTime(500);
  expect(wires).toHaveLength(2);
  last().open();
  expect(last().sent[0]).toEqual({ type: "hello", build: "7", tickets: { a: 5 } });
});

test("a refused connection is tried again ever more slowly, never slower than 15 s", () => {
  live.start();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    last().cut();
    const before = wires.length;
    let waited = 0;
    while (wires.length === before) {
      vi.advanceTimersByTime(100);
      waited += 100;
    }
    waits.push(waited);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test("chance takes at most half of the wait away", () => {
  for (let n = 0; n < 12; n++) {
    expect(backoff(n, () => 0)).toBe(backoff(n, () => 1) / 2);
    expect(backoff(n, () => 1)).toBeLessThanOrEqual(15_000);
  }
});

test("a ping leaves every 10 s and a silent line is given up", () => {
  live.start();
  last().welcome();
  const first = last();
  vi.advanceTimersByTime(10_000);
  first.say({ type: "pong" });
  vi.advanceTimersByTime(10_000);
  first.say({ type: "pong" });
  expect(first.sent.filter((f) => f.type === "ping")).toHaveLength(2);
  vi.advanceTimersByTime(30_000);
  expect(live.state).toBe("lost");
  vi.advanceTimersByTime(500);
  expect(wires.length).toBe(2);
});

test("what is sent while the line is down is refused, not queued", () => {
  live.start();
  expect(live.send({ type: "read", ticket_id: "a", seq: 1 })).toBe(false);
  last().welcome();
  expect(live.send({ type: "read", ticket_id: "a", seq: 1 })).toBe(true);
});

test("a frame of an old socket is not heard", () => {
  live.start();
  const old = last();
  old.welcome();
  live.hurry(); // live: nothing to hurry
  old.cut();
  vi.advanceTimersByTime(500);
  last().welcome();
  const before = frames.length;
  old.say({ type: "counts", counts: {} });
  expect(frames.length).toBe(before);
});

test("broken JSON changes nothing", () => {
  live.start();
  last().welcome();
  const before = frames.length;
  last().say("{");
  expect(frames.length).toBe(before);
  expect(live.state).toBe("live");
});

test("stop ends for good", () => {
  live.start();
  last().welcome();
  live.stop();
  vi.advanceTimersByTime(60_000);
  expect(wires).toHaveLength(1);
  expect(live.state).toBe("off");
});

test("off line is believed at once, and the line comes back by itself", () => {
  live.start();
  last().welcome();
  live.cut();
  expect(live.state).toBe("lost");
  expect(wires).toHaveLength(1);
  vi.advanceTimersByTime(500);
  expect(wires).toHaveLength(2);
  last().welcome();
  expect(live.state).toBe("live");
});

test("a ticket opened between hello and welcome is watched, too", () => {
  live.start();
  last().open();
  live.watch("a", 4);
  expect(last().sent).toContainEqual({ type: "watch", ticket_id: "a", seq: 4 });
  live.unwatch("a");
  expect(last().sent).toContainEqual({ type: "unwatch", ticket_id: "a" });
});

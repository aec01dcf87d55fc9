import { expect, test } from "vitest";
import { fill } from "@/live/gaps";
import { emptyTimeline, merge, tick } from "@/live/timeline";
import { delivery, message } from "./fakes";

test("a message that comes twice stands once, at its place", () => {
  const line = emptyTimeline();
  merge(line, [message(3), message(1)]);
  merge(line, [message(2), message(3)]);
  expect(line.messages.map((m) => m.seq)).toEqual([1, 2, 3]);
});

test("a late picture of a delivery does not undo a newer one", () => {
  const line = emptyTimeline();
  const state = (s: "queued" | "sending" | "sent" | "read" | "failed", attempts = 1) =>
    message(1, { direction: "out", delivery: delivery(s, attempts) });
  merge(line, [state("sent")]);
  merge(line, [state("sending")]);
  expect(line.messages[0]?.delivery?.state).toBe("sent");
  merge(line, [state("read")]);
  merge(line, [state("sent")]);
  expect(line.messages[0]?.delivery?.state).toBe("read");
});

test("a failed reply that is sent again shows as queued again", () => {
  const line = emptyTimeline();
  merge(line, [message(1, { delivery: delivery("failed", 2) })]);
  merge(line, [message(1, { delivery: delivery("queued", 2) })]);
  expect(line.messages[0]?.delivery?.state).toBe("queued");
});

test("the clock follows frames one by one and tells a gap", () => {
  const line = { messages: [], seq: 4 };
  expect(tick(line, 5)).toBe(false);
  expect(tick(line, 5)).toBe(false);
  expect(tick(line, 3)).toBe(false);
  expect(line.seq).toBe(5);
  expect(tick(line, 8)).toBe(true);
  expect(line.seq).toBe(5);
});

test("a gap is filled from the server, all pages, and the clock moves on", async () => {
  const server = Array.from({ length: 250 }, (_, i) => message(i + 1));
  const asked: unknown[] = [];
  const line = emptyTimeline();
  merge(line, server.slice(0, 10));
  line.seq = 10;
  await fill(
    line,
    {
      messages: async (q) => {
        asked.push(q);
        const items = server.filter((m) => m.seq > (q.after ?? 0)).slice(0, q.limit);
        return { items, next: "" };
      },
    },
    250,
  );
  expect(line.messages.map((m) => m.seq)).toEqual(server.map((m) => m.seq));
  expect(line.seq).toBe(250);
  expect(asked).toEqual([
    { after: 10, limit: 100 },
    { after: 110, limit: 100 },
    { after: 210, limit: 100 },
  ]);
});

test("a missed change of an older message is seen, too", async () => {
  const line = emptyTimeline();
  merge(line, [message(1, { delivery: delivery("sending", 1) })]);
  line.seq = 1;
  const now = message(1, { delivery: delivery("delivered", 1) });
  await fill(line, { messages: async (q) => ({ items: q.after ? [] : [now], next: "" }) }, 3);
  expect(line.messages[0]?.delivery?.state).toBe("delivered");
  expect(line.seq).toBe(3);
});

test("a failed fill leaves the clock where it was, so that it is tried again", async () => {
  const line = emptyTimeline();
  line.seq = 2;
  await expect(fill(line, { messages: () => Promise.reject(new Error("offline")) }, 5)).rejects.toThrow();
  expect(line.seq).toBe(2);
});

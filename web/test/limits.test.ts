import { expect, test } from "vitest";
import type { Capabilities } from "@/api/model";
import { highlight } from "@/lib/highlight";
import { justAnswered, type Limited, limits } from "@/lib/limits";
import { belongs, dueAt } from "@/lib/order";
import { accepts, byteLength, linkify, splitList, visible } from "@/lib/text";
import { age, dayName, hours, span, urgency } from "@/lib/time";
import { message, ticket } from "./fakes";

const caps: Capabilities = {
  max_text: 10,
  max_parts: 2,
  html: false,
  attachments: ["image/*"],
  max_attachment: 100,
  quota: 5,
  reply_window: 0,
  delivered_known: true,
  read_known: true,
  typing: true,
  no_text: false,
  means: [],
};
const way = (over: Partial<Limited> = {}): Limited => ({
  window_closes_at: null,
  remaining: -1,
  capabilities: caps,
  ...over,
});

test("limits count bytes, not characters", () => {
  expect(byteLength("退款")).toBe(6);
  expect(limits(way(), "退款退款", 0)).toMatchObject({ used: 12, parts: 2, tooLong: false });
  expect(limits(way(), "退款退款退款退款", 0).tooLong).toBe(true);
});

test("a closed window and a used quota are told before sending", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  expect(limits(way({ window_closes_at: "2026-11-21T11:59:59Z" }), "", now).closed).toBe("window");
  expect(limits(way({ remaining: 0 }), "", now).closed).toBe("quota");
  expect(limits(way({ window_closes_at: "2026-11-21T13:00:00Z", remaining: 2 }), "", now)).toMatchObject({
    closed: "",
    windowLeft: 3_600_000,
    remaining: 2,
  });
});

test("a channel without limits has none", () => {
  expect(limits({ window_closes_at: null, remaining: -1 }, "x".repeat(99999), 0)).toMatchObject({
    tooLong: false,
    closed: "",
    windowLeft: null,
    remaining: null,
  });
});

test("only a colleague's fresh answer is a collision", () => {
  const now = Date.parse("2026-11-21T12:01:00Z");
  const out = (id: string, kind: "agent" | "system" = "agent") =>
    message(5, { direction: "out", author: { kind, id, name: id } });
  expect(justAnswered([out("li")], "me", now)?.author.id).toBe("li");
  expect(justAnswered([out("me")], "me", now)).toBeUndefined();
  expect(justAnswered([out("li", "system")], "me", now)).toBeUndefined();
  expect(justAnswered([out("li")], "me", now + 600_000)).toBeUndefined();
});

test("files are taken by type", () => {
  expect(accepts(["image/*"], "image/png")).toBe(true);
  expect(accepts(["image/*"], "application/pdf")).toBe(false);
  expect(accepts(["*/*"], "anything/else")).toBe(true);
  expect(accepts([], "image/png")).toBe(false);
});

test("lists are split on every separator people type", () => {
  expect(splitList("退款，退货、没到账;x； y\nz,,x")).toEqual(["退款", "退货", "没到账", "x", "y", "z"]);
});

test("only web addresses become links", () => {
  expect(linkify("看 https://a.cn/x?y=1。javascript:alert(1) 好").map((p) => p.href)).toEqual([
    undefined,
    "https://a.cn/x?y=1",
    undefined,
  ]);
  expect(linkify("").length).toBe(0);
});

test("characters that reorder or hide are shown, not obeyed", () => {
  expect(visible("a\u202eb\u0007\n\tc")).toBe("a‹U+202E›b‹U+0007›\n\tc");
});

test("hits are marked at their place and joined when they overlap", () => {
  expect(
    highlight("我要退款谢谢", [
      { start: 2, end: 4 },
      { start: 3, end: 4 },
      { start: -1, end: 2 },
    ]),
  ).toEqual([
    { text: "我要", hit: false },
    { text: "退款", hit: true },
    { text: "谢谢", hit: false },
  ]);
  expect(highlight("x".repeat(300), [{ start: 200, end: 202 }])[0]).toEqual({ text: "…", hit: false });
});

test("a deadline is amber in its last quarter and red when over", () => {
  const since = "2026-11-21T12:00:00Z";
  const due = "2026-11-21T12:40:00Z";
  const at = (m: number) => Date.parse(since) + m * 60_000;
  expect(urgency(due, since, at(0))).toBe("calm");
  expect(urgency(due, since, at(29))).toBe("calm");
  expect(urgency(due, since, at(31))).toBe("soon");
  expect(urgency(due, since, at(40))).toBe("late");
});

test("the deadline that runs is the first answer's until it is given", () => {
  const both = { first_response_due_at: "2026-11-21T12:10:00Z", resolution_due_at: "2026-11-21T18:00:00Z" };
  expect(dueAt(ticket(both))).toBe(both.first_response_due_at);
  expect(dueAt(ticket({ ...both, first_reply_at: "2026-11-21T12:05:00Z" }))).toBe(both.resolution_due_at);
  expect(dueAt(ticket({ ...both, status: "resolved" }))).toBeNull();
});

test("views hold what the server's views hold", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  expect(belongs("mine", ticket(), "me", now)).toBe(true);
  expect(belongs("mine", ticket({ snoozed_until: "2026-11-22T12:00:00Z" }), "me", now)).toBe(false);
  expect(belongs("queue", ticket({ assignee: null, status: "new" }), "me", now)).toBe(true);
  expect(belongs("queue", ticket({ status: "open" }), "me", now)).toBe(false);
  expect(belongs("open", ticket({ status: "waiting" }), "me", now)).toBe(true);
  expect(belongs("overdue", ticket({ first_response_due_at: "2026-11-21T11:00:00Z" }), "me", now)).toBe(true);
  expect(belongs("resolved", ticket({ status: "resolved" }), "me", now)).toBe(true);
});

test("times read naturally in both languages", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  expect(age("2026-11-21T11:59:30Z", "en", "now", now)).toBe("now");
  expect(age("2026-11-21T11:46:00Z", "en", "now", now)).toBe("14m");
  expect(span(3 * 3_600_000 + 12 * 60_000, "en", true)).toBe("3 hr 12 min");
  expect(span(3 * 3_600_000 + 12 * 60_000, "zh-CN", true)).toBe("3小时 12分钟");
  expect(dayName("2026-11-20T12:00:00Z", "zh-CN", now)).toBe("昨天");
});

test("a window of two days is counted in hours", () => {
  const h = 3_600_000;
  expect(hours(47.6 * h, "en")).toBe("47 hr");
  expect(hours(47.6 * h, "zh-CN")).toBe("47小时");
  expect(hours(3.2 * h, "en")).toBe("3 hr 12 min");
  expect(hours(80 * h, "en")).toBe(span(80 * h, "en", true));
});

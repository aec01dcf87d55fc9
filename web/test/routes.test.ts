import { expect, test } from "vitest";
import type { Capabilities, Route, Ticket } from "@/api/model";
import { callbackDue, lastWords } from "@/lib/callback";
import { choose, isLetter, nearness, ways } from "@/lib/routes";
import { ticket } from "./fakes";

const caps = (over: Partial<Capabilities> = {}): Capabilities => ({
  max_text: 0,
  max_parts: 1,
  html: false,
  attachments: [],
  max_attachment: 0,
  quota: 5,
  reply_window: 0,
  delivered_known: true,
  read_known: true,
  typing: false,
  no_text: false,
  means: [],
  ...over,
});
const route = (over: Partial<Route> = {}): Route => ({
  id: "",
  channel: { id: "wx", kind: "wechat", name: "公众号" },
  means: "",
  title: { zh: "", en: "" },
  to: "",
  own: true,
  open: true,
  why: "",
  why_code: "",
  window_closes_at: null,
  remaining: -1,
  capabilities: caps(),
  ...over,
});
const mail = route({ id: "m", own: false, channel: { id: "e", kind: "email", name: "support" } });
const now = Date.parse("2026-11-21T12:00:00Z");
const with_ = (reply: Partial<Ticket["reply"]>): Ticket =>
  ticket({ reply: { channel_kind: "wechat", window_closes_at: null, window_reason: "", remaining: -1, ...reply } });

test("a list's ticket has its own way, with what the list knows of it", () => {
  const [own] = ways(with_({ remaining: 0 }), now);
  expect(own).toMatchObject({ id: "", own: true, open: false, why_code: "quota_used" });
});

test("a way that was open when the ticket was loaded shuts by the clock", () => {
  const closes = "2026-11-21T12:00:10Z";
  const k = with_({ window_closes_at: closes, routes: [route({ window_closes_at: closes }), mail] });
  expect(ways(k, now)[0]?.open).toBe(true);
  expect(ways(k, now + 10_000)[0]).toMatchObject({ open: false, why_code: "window_closed" });
  expect(ways(k, now + 10_000)[1]?.open).toBe(true);
});

test("a shut way opens again when the customer writes, before the ways are asked for again", () => {
  const k = with_({
    window_closes_at: "2026-11-23T12:00:00Z",
    remaining: 5,
    routes: [route({ open: false, why_code: "window_closed", window_closes_at: "2026-11-20T12:00:00Z", remaining: 0 })],
  });
  expect(ways(k, now)[0]).toMatchObject({ open: true, why_code: "", remaining: 5 });
});

test("who unsubscribed stays unreachable whatever the clock says", () => {
  const k = with_({ window_reason: "unsubscribed", routes: [route({ open: false, why_code: "unreachable" })] });
  expect(ways(k, now)[0]).toMatchObject({ open: false, why_code: "unreachable" });
});

test("what works after the window is not shut by it", () => {
  const after = caps({
    means: [{ name: "template", title: { zh: "", en: "" }, needs_text: true, max_text: 0, after_window: true }],
  });
  const closes = "2026-11-21T11:00:00Z";
  const k = with_({
    window_closes_at: closes,
    remaining: 0,
    routes: [
      route({ window_closes_at: closes }),
      route({ id: "t", means: "template", window_closes_at: closes, remaining: 0, capabilities: after }),
    ],
  });
  expect(ways(k, now).map((r) => r.open)).toEqual([false, true]);
});

test("a switched-off channel stays shut", () => {
  const k = with_({ routes: [route({ open: false, why_code: "channel_closed" }), mail] });
  expect(ways(k, now)[0]).toMatchObject({ open: false, why_code: "channel_closed" });
});

test("the wished way is taken while it is there, else the ticket's own, even when it is shut", () => {
  const shut = route({ open: false, why_code: "window_closed" });
  expect(choose([shut, mail], "m")?.id).toBe("m");
  expect(choose([shut, mail], "gone")?.id).toBe("");
  expect(choose([shut, mail], undefined)?.id).toBe("");
  expect(choose([route({ id: "cb", means: "callback" }), mail], undefined)?.id).toBe("cb");
  expect([isLetter(mail), isLetter(shut), isLetter({ ...mail, means: "callback" })]).toEqual([true, false, false]);
});

test("the end of a window comes near in three steps", () => {
  expect([null, 7_200_000, 3_000_000, 60_000].map(nearness)).toEqual(["calm", "calm", "soon", "late"]);
});

test("a promise to call back is urgent as its time runs out, and over when it was kept", () => {
  const k = (state: "due" | "requested" | "done", due_at: string | null) =>
    ticket({ created_at: "2026-11-21T11:00:00Z", callback: { state, number: "138****5678", due_at } });
  expect(callbackDue(k("due", "2026-11-21T14:00:00Z"), now)).toBe("calm");
  expect(callbackDue(k("due", "2026-11-21T12:10:00Z"), now)).toBe("soon");
  expect(callbackDue(k("requested", "2026-11-21T11:59:00Z"), now)).toBe("late");
  expect(callbackDue(k("due", null), now)).toBe("soon");
  expect(callbackDue(k("done", "2026-11-21T11:59:00Z"), now)).toBe("");
  expect(callbackDue(ticket(), now)).toBe("");
  expect(callbackDue({ ...k("due", null), status: "closed" }, now)).toBe("");
});

test("only a call's words are translated", () => {
  expect(lastWords("call me later")).toBe("call me later");
  expect(lastWords("退款")).toBe("退款");
});

test("a ticket that nobody can answer has no way, and one whose ways are not known yet has its own", () => {
  expect(ways(with_({ routes: [] }), now)).toEqual([]);
  expect(choose([], undefined)).toBeUndefined();
  expect(ways(with_({}), now)).toHaveLength(1);
});

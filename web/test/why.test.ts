import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, test } from "vitest";
import { readDecision, sentence } from "@/lib/why";
import { usePeople } from "@/stores/people";

beforeEach(() => {
  setActivePinia(createPinia());
  usePeople().agents = [{ id: "a1", name: "李雷" }];
});

test("hits are told by rule, each word once", () => {
  const why = readDecision({
    id: "d",
    kind: "classified",
    at: "2026-11-21T12:00:00Z",
    detail: {
      priority: "urgent",
      tags: ["退款"],
      hits: [
        { rule: "退款", word: "退款", text: "退 款" },
        { rule: "退款", word: "退款", text: "退 款" },
        { rule: "退款", word: "没到账", text: "没到账" },
      ],
    },
  });
  expect(why.hits).toEqual([{ rule: "退款", words: ["退 款", "没到账"] }]);
  expect(why.outcome).toEqual(["urgent", "#退款"]);
});

test("an assignment tells who, why, and what spoke against the others", () => {
  const why = readDecision({
    id: "d",
    kind: "assigned",
    at: "2026-11-21T12:00:00Z",
    detail: {
      reason: "least_loaded",
      agent_id: "a1",
      candidates: [
        { agent_id: "a1", name: "李雷", used: 1, capacity: 10, why: "chosen: least loaded" },
        { agent_id: "a2", name: "韩梅梅", used: 10, capacity: 10, why: "full 10/10" },
      ],
    },
  });
  expect([why.chosen, why.reason]).toEqual(["李雷", "least_loaded"]);
  expect(why.candidates.map((c) => [c.name, c.load, c.reason, c.chosen])).toEqual([
    ["李雷", "1/10", "least_loaded", true],
    ["韩梅梅", "10/10", "full", false],
  ]);
});

test("a person's own words are shown as they are", () => {
  const d = {
    id: "d",
    kind: "transferred",
    at: "",
    detail: { reason: "transferred", agent_id: "a1", words: "懂发票" },
  };
  expect(readDecision(d).reason).toBe("懂发票");
  expect(sentence("a word nobody knows yet")).toBe("a word nobody knows yet");
});

test("an unknown detail is no error", () => {
  expect(
    readDecision({ id: "d", kind: "new", at: "", detail: { hits: "x", candidates: [null, 3] } }).candidates,
  ).toEqual([]);
});

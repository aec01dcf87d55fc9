// Reads the stored decisions of classification and assignment. Their details are written by the router and may grow; what is
// not known here is left out, never an error.
import type { Decision } from "@/api/model";
import { usePeople } from "@/stores/people";

export interface Why {
  id: string;
  kind: string;
  at: string;
  hits: { rule: string; words: string[] }[];
  outcome: string[]; // team, priority, tags
  chosen: string;
  reason: string;
  candidates: { name: string; load: string; reason: string; chosen: boolean }[];
}

type Obj = Record<string, unknown>;
const obj = (x: unknown): Obj => (x && typeof x === "object" && !Array.isArray(x) ? (x as Obj) : {});
const arr = (x: unknown): unknown[] => (Array.isArray(x) ? x : []);
const str = (x: unknown): string => (typeof x === "string" ? x : typeof x === "number" ? String(x) : "");
const nameOf = (x: unknown): string => (typeof x === "string" ? x : str(obj(x).name) || str(obj(x).id));

function words(list: unknown): string[] {
  return [
    ...new Set(
      arr(list)
        .map((w) => (typeof w === "string" ? w : str(obj(w).text) || str(obj(w).word)))
        .filter(Boolean),
    ),
  ];
}

export function readDecision(d: Decision): Why {
  const people = usePeople();
  const x = obj(d.detail);
  const agent = (v: unknown) => people.name(str(obj(v).id) || str(v)) || nameOf(v);
  const team = (v: unknown) => people.teamName(str(obj(v).id) || str(v)) || nameOf(v);
  const chosenId = str(x.agent_id) || str(x.agent) || str(obj(x.agent).id) || str(x.chosen) || str(x.to_agent);
  const rules = arr(x.rules ?? x.matches ?? x.hits);
  return {
    id: d.id,
    kind: d.kind,
    at: d.at,
    hits: rules.map((r) => ({
      rule: str(obj(r).name) || str(obj(r).rule) || str(obj(r).rule_name) || nameOf(r),
      words: words(obj(r).hits ?? obj(r).words ?? obj(r).matched_words ?? obj(r).matches),
    })),
    outcome: [team(x.team ?? x.team_id ?? x.to_team ?? ""), str(x.priority), ...arr(x.tags).map(str)].filter(Boolean),
    chosen: chosenId ? str(x.agent_name) || agent(x.agent ?? chosenId) : "",
    reason: str(x.reason) || str(x.why),
    candidates: arr(x.candidates ?? x.passed_over ?? x.agents).map((c) => {
      const o = obj(c);
      const id = str(o.agent_id) || str(o.id) || str(o.agent);
      return {
        name: str(o.name) || people.name(id) || id || nameOf(c),
        load: o.used !== undefined && o.capacity !== undefined ? `${str(o.used)}/${str(o.capacity)}` : "",
        reason: str(o.reason) || str(o.why),
        chosen: o.chosen === true || (!!chosenId && id === chosenId),
      };
    }),
  };
}

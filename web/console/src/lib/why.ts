// Reads the stored decisions of classification and assignment (router's classifier and why.go). A detail may grow: what is not
// known here is left out, never an error.
import type { Decision } from "@/api/model";
import { usePeople } from "@/stores/people";

export interface Why {
  id: string;
  kind: string;
  at: string;
  hits: { rule: string; words: string[] }[];
  outcome: string[]; // team, priority, tags
  chosen: string;
  reason: string; // a word of the "reason" texts, or a person's own sentence
  candidates: { id: string; name: string; load: string; reason: string; chosen: boolean }[];
}

type Detail = Record<string, unknown>;
const list = (x: unknown): Detail[] => (Array.isArray(x) ? x.filter((y) => y && typeof y === "object") : []);
const str = (x: unknown): string => (typeof x === "string" || typeof x === "number" ? String(x) : "");

/** The router explains people in English sentences; these are the words for them. */
const SENTENCES: [RegExp, string][] = [
  [/^chosen: had/, "last_agent"],
  [/^chosen/, "least_loaded"],
  [/^free, but/, "not_last_agent"],
  [/^more loaded/, "more_loaded"],
  [/^as loaded/, "turn"],
  [/^full/, "full"],
  [/^missing skill/, "skill"],
  [/^not in team/, "not_in_team"],
];
export const sentence = (why: string): string => SENTENCES.find(([re]) => re.test(why))?.[1] ?? why;

export function readDecision(d: Decision): Why {
  const people = usePeople();
  const x = d.detail as Detail;
  const agent = str(x.agent_id);
  const words = new Map<string, Set<string>>();
  for (const h of list(x.hits)) {
    const rule = str(h.rule);
    words.set(rule, (words.get(rule) ?? new Set()).add(str(h.text) || str(h.word)));
  }
  const tags = Array.isArray(x.tags) ? x.tags.map((t) => `#${str(t)}`) : [];
  const reason = str(x.words) || str(x.reason);
  return {
    id: d.id,
    kind: d.kind,
    at: d.at,
    hits: [...words].map(([rule, w]) => ({ rule, words: [...w] })),
    outcome: [people.teamName(str(x.team_id)), str(x.priority), ...tags].filter(Boolean),
    chosen: people.name(agent),
    reason: reason === d.kind ? "" : reason,
    candidates: list(x.candidates).map((c) => ({
      id: str(c.agent_id),
      name: str(c.name) || people.name(str(c.agent_id)),
      load: `${str(c.used)}/${str(c.capacity)}`,
      reason: sentence(str(c.why)),
      chosen: !!agent && str(c.agent_id) === agent,
    })),
  };
}

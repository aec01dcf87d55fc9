// What was typed and not sent, per agent and ticket. Kept in the browser: it survives reload and a closed window.
import { drop, load, save } from "@/lib/storage";

export interface Draft {
  mode: "reply" | "note";
  reply: string;
  note: string;
  files: { id: string; name: string; type: string; size: number; url: string }[];
  route?: string; // the way chosen; undefined: the ticket's own
  cc?: string[];
  bcc?: string[];
  subject?: string; // undefined: that of the last letter
}

export const emptyDraft = (): Draft => ({ mode: "reply", reply: "", note: "", files: [] });

const key = (agent: string, ticket: string) => `hb.draft.${agent}.${ticket}`;

export function loadDraft(agent: string, ticket: string): Draft {
  return { ...emptyDraft(), ...load<Partial<Draft>>(key(agent, ticket), {}) };
}

/** An empty draft leaves nothing behind. */
export function saveDraft(agent: string, ticket: string, draft: Draft) {
  const more = draft.route || draft.cc?.length || draft.bcc?.length || draft.subject !== undefined;
  if (!draft.reply && !draft.note && draft.files.length === 0 && draft.mode === "reply" && !more)
    drop(key(agent, ticket));
  else save(key(agent, ticket), draft);
}

// What the house did, put into words of the reader's language. The data is the server's; unknown words are shown as they are.
import type { SystemEvent } from "@/api/model";
import { hasText, t } from "@/i18n";
import { usePeople } from "@/stores/people";
import { useSession } from "@/stores/session";

/** A word of a known set in the reader's language, else as it is. */
export const word = (group: string, value: string): string =>
  hasText(`${group}.${value}`) ? t(`${group}.${value}`) : value;

function agentName(e: SystemEvent): string {
  const d = e.data ?? {};
  const id = d.agent_id ?? d.agent ?? d.assignee_id ?? d.to_agent ?? "";
  const name = d.agent_name ?? d.assignee_name ?? d.to_agent_name ?? usePeople().name(id) ?? "";
  return id && id === useSession().me?.id ? t("event.toYou") : name || t("event.someone");
}

function teamName(e: SystemEvent): string {
  const d = e.data ?? {};
  const id = d.team_id ?? d.team ?? d.to_team ?? "";
  return d.team_name ?? d.to_team_name ?? usePeople().teamName(id) ?? "";
}

const actorName = (e: SystemEvent): string =>
  e.actor.kind === "system" || !e.actor.name
    ? t("event.system")
    : e.actor.id === useSession().me?.id
      ? t("event.you")
      : e.actor.name;

/** One sentence for a system line. */
export function eventText(e: SystemEvent): string {
  const d = e.data ?? {};
  const team = teamName(e);
  const key = `event.${e.type}`;
  const values: Record<string, string> = {
    actor: actorName(e),
    agent: agentName(e),
    team,
    number: d.number ?? "",
    value: d.value ?? d.to ?? d.changed ?? "",
  };
  if (e.type === "priority") values.value = word("priority", values.value ?? "");
  if (e.type === "status") values.value = word("status", values.value ?? "");
  if (e.type === "created" && values.number) return t("event.splitFrom", values);
  if (e.type === "linked" && d.ticket_id) return t("event.split", values);
  if (e.type === "merged" && d.into_id) return t("event.mergedInto", values);
  if (e.type === "tags") {
    if (d.added) return t("event.tagsAdded", { ...values, value: d.added });
    if (d.removed) return t("event.tagsRemoved", { ...values, value: d.removed });
  }
  if (e.type === "fields" && values.value) return t("event.fieldsOf", values);
  if (e.type === "transferred" && team && !d.agent_id && !d.to_agent && !d.agent)
    return t("event.transferredTeam", values);
  if (e.type === "assigned" && e.actor.kind !== "system" && e.actor.name) return t("event.assignedBy", values);
  if (!hasText(key)) return [values.actor, e.type].filter(Boolean).join(" · ");
  return t(key, values);
}

/** Why it happened: the house's own reasons are words of a known set, a person's reason is his own sentence. */
export function reasonText(e: SystemEvent): string {
  const raw = e.reason ?? "";
  if (!raw) return "";
  return raw
    .split(/,\s*/)
    .map((r) => word("reason", r.trim()))
    .join(t("list.separator"));
}

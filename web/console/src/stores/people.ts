// Colleagues, teams and who is there.
import { defineStore } from "pinia";
import { computed, reactive, shallowRef } from "vue";
import * as api from "@/api";
import { useSession } from "./session";

export const usePeople = defineStore("people", () => {
  const agents = shallowRef<api.Ref[]>([]);
  const presence = reactive(new Map<string, api.Presence>());
  const session = useSession();
  const teams = computed<api.Ref[]>(() => session.info?.teams ?? []);

  async function load() {
    const list = await api.people.presence();
    presence.clear();
    for (const p of list.items) presence.set(p.agent_id, p);
    agents.value = list.items
      .map((p) => ({ id: p.agent_id, name: p.name ?? "" }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  function seen(p: Omit<api.Presence, "name"> & { name?: string }) {
    const before = presence.get(p.agent_id);
    presence.set(p.agent_id, { ...before, ...p, name: p.name || before?.name || "" });
  }

  const name = (id: string): string => agents.value.find((a) => a.id === id)?.name ?? "";
  const teamName = (id: string): string => teams.value.find((t) => t.id === id)?.name ?? "";
  const mine = computed(() => (session.me ? presence.get(session.me.id) : undefined));

  return { agents, teams, presence, mine, load, seen, name, teamName };
});

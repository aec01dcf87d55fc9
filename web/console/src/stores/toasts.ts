// Short words about what happened, at the corner; errors stay longer, and one thing is said once.
import { defineStore } from "pinia";
import { shallowRef } from "vue";
import { ApiError } from "@/api";
import { hasText, t } from "@/i18n";

export interface Toast {
  id: number;
  kind: "info" | "ok" | "error";
  text: string;
  action?: { label: string; run: () => void };
}

/** An error in the reader's language where its code is known, else in the server's words. */
export function errorText(e: unknown): string {
  if (e instanceof ApiError) {
    const key = `error.${e.code}`;
    const who = (e.body.assignee as { name?: string } | undefined)?.name ?? e.body.name ?? "";
    if (e.code && hasText(key)) return t(key, { name: who });
    return e.message;
  }
  return e instanceof Error ? e.message : String(e);
}

export const useToasts = defineStore("toasts", () => {
  const list = shallowRef<Toast[]>([]);
  let next = 1;

  function show(kind: Toast["kind"], text: string, action?: Toast["action"]) {
    const id = next++;
    list.value = [...list.value.filter((x) => x.text !== text), { id, kind, text, action }].slice(-4);
    setTimeout(() => hide(id), kind === "error" || action ? 8000 : 3500);
  }
  function hide(id: number) {
    list.value = list.value.filter((x) => x.id !== id);
  }
  return {
    list,
    hide,
    info: (text: string, action?: Toast["action"]) => show("info", text, action),
    ok: (text: string, action?: Toast["action"]) => show("ok", text, action),
    error: (e: unknown) => show("error", errorText(e)),
  };
});

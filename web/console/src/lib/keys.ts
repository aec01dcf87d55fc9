// One list of keyboard shortcuts. A screen binds its acts while it is shown; the help overlay reads the same list.
import { onMounted, onUnmounted } from "vue";

export interface Shortcut {
  keys: string; // "j", "Enter", "g q", "Mod+k", "?"
  help: string; // key of the text that explains it
  group: "go" | "list" | "ticket" | "all";
  run: (e: KeyboardEvent) => void;
  inFields?: boolean; // works while writing, too
}

const bound: Shortcut[] = [];
let pending = "";
let pendingUntil = 0;
const SEQUENCE = 1_200; // ms to press the second letter

/** The shortcuts of the screens shown now, the latest bound first. */
export const shortcuts = (): Shortcut[] => [...bound].reverse();

export function bind(list: Shortcut[]): () => void {
  bound.push(...list);
  return () => {
    for (const s of list) {
      const at = bound.indexOf(s);
      if (at >= 0) bound.splice(at, 1);
    }
  };
}

/** Binds for as long as the component lives. */
export function useShortcuts(list: Shortcut[]) {
  let unbind = () => {};
  onMounted(() => {
    unbind = bind(list);
  });
  onUnmounted(() => unbind());
}

/** True where letters belong to the text, not to us. */
export function isWriting(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null;
  if (!el?.tagName) return false;
  if (el.isContentEditable || el.tagName === "TEXTAREA" || el.tagName === "SELECT") return true;
  return el.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes((el as HTMLInputElement).type);
}

/** True when Enter or Space would press what has the focus. */
function pressesFocus(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement | null;
  return (
    (e.key === "Enter" || e.key === " ") &&
    !e.altKey &&
    !!el?.closest?.("button, a[href], summary, [role=menuitem], [role=option]")
  );
}

/** The name of what was pressed: "j", "Mod+k", "?", "Enter". */
export function keyName(e: KeyboardEvent): string {
  const mod = e.ctrlKey || e.metaKey;
  // With Alt a letter may come out as another sign (macOS): the key itself counts then.
  const physical = e.altKey && /^(Key|Digit)(.)$/.exec(e.code ?? "")?.[2];
  const key = physical ? physical.toLowerCase() : e.key.length === 1 ? e.key.toLowerCase() : e.key;
  return (mod ? "Mod+" : "") + (e.altKey ? "Alt+" : "") + key;
}

/** Runs what is bound to the event; true when something was. */
export function press(e: KeyboardEvent, now = Date.now()): boolean {
  if (e.isComposing || e.keyCode === 229 || e.defaultPrevented) return false;
  const name = keyName(e);
  const writing = isWriting(e.target);
  const inDialog = !!(e.target as HTMLElement | null)?.closest?.("[role=dialog], [role=menu]");
  const usable = (s: Shortcut) => (!writing || s.inFields) && (!inDialog || s.inFields);
  const list = shortcuts().filter(usable);
  if (pending && now < pendingUntil) {
    const hit = list.find((s) => s.keys === `${pending} ${name}`);
    pending = "";
    if (hit) return fire(hit, e);
  }
  pending = "";
  if (!pressesFocus(e)) {
    const hit = list.find((s) => s.keys === name);
    if (hit) return fire(hit, e);
  }
  if (list.some((s) => s.keys.startsWith(`${name} `))) {
    pending = name;
    pendingUntil = now + SEQUENCE;
    return true;
  }
  return false;
}

function fire(s: Shortcut, e: KeyboardEvent): boolean {
  e.preventDefault();
  s.run(e);
  return true;
}

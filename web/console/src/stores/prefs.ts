// What one browser remembers of one person's taste. The same record is read by public/theme.js before the first paint.
import { defineStore } from "pinia";
import { reactive, watch } from "vue";
import { guessLocale, type Locale, speak } from "@/i18n";
import { load, save } from "@/lib/storage";

export interface Prefs {
  theme: "system" | "light" | "dark";
  locale: Locale;
  sendWith: "enter" | "mod"; // Enter, or Ctrl+Enter / Cmd+Enter
  notify: boolean;
  ring: boolean; // a sound when one's own phone rings
  context: boolean; // the panel at the right is open
}

export const usePrefs = defineStore("prefs", () => {
  const stored = load<Partial<Prefs>>("hb.prefs", {});
  const prefs = reactive<Prefs>({
    theme: stored.theme ?? "system",
    locale: stored.locale ?? guessLocale(),
    sendWith: stored.sendWith ?? "mod",
    notify: stored.notify ?? false,
    ring: stored.ring ?? false,
    context: stored.context ?? true,
  });
  const system = matchMedia("(prefers-color-scheme: dark)");

  function paint() {
    const dark = prefs.theme === "dark" || (prefs.theme === "system" && system.matches);
    document.documentElement.classList.toggle("dark", dark);
  }
  system.addEventListener("change", paint);
  watch(
    () => ({ ...prefs }),
    (p) => {
      save("hb.prefs", p);
      paint();
    },
  );
  watch(
    () => prefs.locale,
    (l) => void speak(l),
  );
  paint();

  function cycleTheme() {
    const order = ["system", "light", "dark"] as const;
    prefs.theme = order[(order.indexOf(prefs.theme) + 1) % order.length] ?? "system";
  }
  function otherLocale() {
    prefs.locale = prefs.locale === "zh-CN" ? "en" : "zh-CN";
  }
  return { prefs, cycleTheme, otherLocale };
});

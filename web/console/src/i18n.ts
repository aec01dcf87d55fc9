// The two languages of the screens. A language's texts are loaded when it is chosen; they are compiled at build time.
import { createI18n } from "vue-i18n";

export type Locale = "zh-CN" | "en";
export const LOCALES: Locale[] = ["zh-CN", "en"];

export const i18n = createI18n({
  legacy: false,
  locale: "zh-CN" as string,
  fallbackLocale: "en",
  messages: {},
  missingWarn: false,
  fallbackWarn: false,
});

const files: Record<Locale, () => Promise<{ default: object }>> = {
  "zh-CN": () => import("./locales/zh-CN.json"),
  en: () => import("./locales/en.json"),
};

/** Loads a language if need be and shows it. */
export async function speak(locale: Locale) {
  const g = i18n.global;
  if (!g.availableLocales.includes(locale)) g.setLocaleMessage(locale, (await files[locale]()).default as never);
  g.locale.value = locale;
  document.documentElement.lang = locale;
}

export const guessLocale = (): Locale => (/^zh/i.test(navigator.language) ? "zh-CN" : "en");

/** For code outside components. */
export const t = (key: string, values: Record<string, unknown> = {}): string => i18n.global.t(key, values);

/** True when there is a text of this name in the language shown. */
export const hasText = (key: string): boolean => i18n.global.te(key);

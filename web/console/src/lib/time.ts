// Times as people read them: relative, with the exact moment on hover, in the reader's zone.
import { onMounted, onUnmounted, shallowRef } from "vue";

/** The shared clock of all relative times: ms, moved every 15 s and when the window comes back. */
export const now = shallowRef(Date.now());
if (typeof window !== "undefined") {
  setInterval(() => {
    now.value = Date.now();
  }, 15_000);
  document.addEventListener("visibilitychange", () => {
    now.value = Date.now();
  });
}

const SECOND = shallowRef(Date.now());
let ticking: ReturnType<typeof setInterval> | undefined;
let watchers = 0;

/** A clock that moves every second, while somebody looks at it and only then. */
export function useSeconds() {
  onMounted(() => {
    SECOND.value = Date.now();
    if (watchers++ === 0)
      ticking = setInterval(() => {
        SECOND.value = Date.now();
      }, 1000);
  });
  onUnmounted(() => {
    if (--watchers === 0) clearInterval(ticking);
  });
  return SECOND;
}

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

const cache = new Map<string, Intl.DateTimeFormat>();
function format(locale: string, o: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const k = locale + JSON.stringify(o);
  let f = cache.get(k);
  if (!f) {
    f = new Intl.DateTimeFormat(locale, o);
    cache.set(k, f);
  }
  return f;
}

export const exact = (at: string, locale: string) =>
  format(locale, { dateStyle: "full", timeStyle: "medium" }).format(new Date(at));

export const clock = (at: string, locale: string) =>
  format(locale, { hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(at));

/** The day as a heading: today and yesterday by name. */
export function dayName(at: string, locale: string, today = Date.now()): string {
  const d = new Date(at);
  const diff = Math.round((startOfDay(today) - startOfDay(d.getTime())) / DAY);
  if (diff === 0 || diff === 1) return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-diff, "day");
  const year = d.getFullYear() === new Date(today).getFullYear() ? undefined : "numeric";
  return format(locale, { weekday: "short", month: "short", day: "numeric", year }).format(d);
}

function startOfDay(ms: number): number {
  const d = new Date(ms);
  d.setHours(0, 0, 0, 0);
  return d.getTime();
}

/** A length of time in one or two units: "3 h 12 min", "3 小时 12 分钟". */
export function span(ms: number, locale: string, long = false): string {
  const abs = Math.abs(ms);
  const unit = (value: number, unit: string) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: long ? "short" : "narrow" }).format(value);
  if (abs < MIN) return unit(long ? Math.max(1, Math.round(abs / 1000)) : 0, long ? "second" : "minute");
  if (abs < HOUR) return unit(Math.floor(abs / MIN), "minute");
  if (abs < DAY) {
    const h = unit(Math.floor(abs / HOUR), "hour");
    const m = Math.floor((abs % HOUR) / MIN);
    return long && m ? `${h} ${unit(m, "minute")}` : h;
  }
  return unit(Math.floor(abs / DAY), "day");
}

/** The same, with days counted as hours up to three of them: what closes after 48 hours is not "a day" away for half of them. */
export function hours(ms: number, locale: string): string {
  if (ms < DAY || ms >= 3 * DAY) return span(ms, locale, true);
  return new Intl.NumberFormat(locale, { style: "unit", unit: "hour", unitDisplay: "short" }).format(
    Math.floor(ms / HOUR),
  );
}

/** Age for lists: "now", "2m", "14h", then the date. */
export function age(at: string, locale: string, justNow: string, nowMs: number): string {
  const ms = nowMs - new Date(at).getTime();
  if (ms < MIN) return justNow;
  if (ms < 7 * DAY) return span(ms, locale);
  return format(locale, { month: "numeric", day: "numeric" }).format(new Date(at));
}

/** How urgent a deadline is: late, under a quarter of its time left, or calm. */
export function urgency(due: string, since: string, nowMs: number): "late" | "soon" | "calm" {
  const end = new Date(due).getTime();
  const left = end - nowMs;
  if (left <= 0) return "late";
  const whole = end - new Date(since).getTime();
  return whole > 0 && left < whole / 4 ? "soon" : "calm";
}

// Small facts about texts and files.

export const byteLength = (s: string): number => new TextEncoder().encode(s).length;

export function fileSize(bytes: number, locale: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  let i = 0;
  let n = bytes;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: units[i],
    unitDisplay: "short",
    maximumFractionDigits: n < 10 && i > 0 ? 1 : 0,
  }).format(n);
}

/** Whether a media type is among those a channel takes ("image/*", "*\/*"). */
export function accepts(list: string[] | null | undefined, type: string): boolean {
  if (!list) return false;
  return list.some((p) => p === "*/*" || p === type || (p.endsWith("/*") && type.startsWith(p.slice(0, -1))));
}

/** Up to two letters for a face without a picture. */
export function initials(name: string): string {
  const s = name.trim();
  if (!s) return "?";
  if (/^\+?[\d\s()-]{5,}$/.test(s)) return s.replace(/\D/g, "").slice(-2);
  if (/[㐀-鿿]/.test(s)) return [...s].slice(-2).join("");
  const words = s.split(/[\s@._-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "") + (words[1]?.[0] ?? "")).toUpperCase() || "?";
}

/** A stable number from 0 to n-1 for a text: which colour a face has. */
export function bucket(s: string, n: number): number {
  let h = 7;
  for (let i = 0; i < s.length; i++) h = (h * 31 + s.charCodeAt(i)) >>> 0;
  return h % n;
}

/** Splits what a person typed as a list: full- and half-width commas, semicolons, enumeration commas, line breaks. */
export const splitList = (s: string): string[] => [
  ...new Set(
    s
      .split(/[,，、;；\n]+/)
      .map((x) => x.trim())
      .filter(Boolean),
  ),
];

export type Piece = { text: string; href?: string };

/** Cuts a plain text into pieces, with web addresses recognized. Only http and https become links. */
export function linkify(text: string): Piece[] {
  const out: Piece[] = [];
  const re = /https?:\/\/[^\s<>"'，。；！？、）】」]+/g;
  let at = 0;
  for (const hit of text.matchAll(re)) {
    const url = hit[0].replace(/[.,;:!?)\]]+$/, "");
    if (hit.index > at) out.push({ text: text.slice(at, hit.index) });
    out.push({ text: url, href: url });
    at = hit.index + url.length;
  }
  if (at < text.length) out.push({ text: text.slice(at) });
  return out;
}

const hidden = /[\u202a-\u202e\u2066-\u2069]|(?![\t\n\r])\p{Cc}/gu;

/** Makes bidi overrides and controls visible instead of letting them reorder what is read. */
export const visible = (s: string): string =>
  s.replace(hidden, (c) => `\u2039U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u203a`);

/** An address as people read it: a web visitor's id is only told apart by its beginning. */
export const addressText = (i: { type: string; value: string }): string =>
  i.type === "webchat" ? `#${i.value.slice(0, 8)}` : i.value;

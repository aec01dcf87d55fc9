// Cuts a text at the places where words matched, to mark them. Offsets are UTF-16 units, as scripts count.
export interface Span {
  start: number;
  end: number;
}
export interface Bit {
  text: string;
  hit: boolean;
}

/** At most `around` units of context are kept before the first hit; overlapping hits join. */
export function highlight(text: string, hits: Span[], around = 40, most = 220): Bit[] {
  const list = hits
    .filter((h) => h.start >= 0 && h.end > h.start && h.end <= text.length)
    .sort((a, b) => a.start - b.start);
  const from = Math.max(0, (list[0]?.start ?? 0) - around);
  const to = Math.min(text.length, from + most);
  const out: Bit[] = from > 0 ? [{ text: "…", hit: false }] : [];
  let at = from;
  for (const h of list) {
    const start = Math.max(at, h.start);
    const end = Math.min(to, h.end);
    if (start >= to || end <= start) continue;
    if (start > at) out.push({ text: text.slice(at, start), hit: false });
    out.push({ text: text.slice(start, end), hit: true });
    at = end;
  }
  if (at < to) out.push({ text: text.slice(at, to), hit: false });
  if (to < text.length) out.push({ text: "…", hit: false });
  return out;
}

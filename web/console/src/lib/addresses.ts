// Addresses as people type and paste them: "a@b.com, 王芳 <c@d.cn>;e@f.org".

const SHAPE = /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\.]+(\.[^\s@<>"(),;:\\.]+)+$/u;

/** The bare address of "Name <user@host>", or the text itself. */
export const bare = (s: string): string => (/<([^<>]*)>\s*$/.exec(s)?.[1] ?? s).trim();

/** Whether mail can be sent to it, as far as its form tells (RFC 5321 lengths; no quoted local parts, which nobody types). */
export function isMailAddress(s: string): boolean {
  const a = bare(s);
  const local = a.slice(0, a.lastIndexOf("@"));
  return a.length <= 254 && local.length <= 64 && !/^\.|\.$|\.\./.test(local) && SHAPE.test(a);
}

/** A telephone number in any notation: at least five digits, the signs people write between them, an extension never. */
export const isPhone = (s: string): boolean =>
  /^\+?[\d\s().\-–]{5,25}$/.test(s.trim()) && s.replace(/\D/g, "").length >= 5;

/** Cuts what was typed or pasted into single addresses. Separators inside quotes and angle brackets do not count. */
export function splitAddresses(s: string): string[] {
  const out: string[] = [];
  let one = "";
  let quoted = false;
  let angle = false;
  for (const c of s) {
    if (c === '"') quoted = !quoted;
    else if (c === "<") angle = true;
    else if (c === ">") angle = false;
    if (!quoted && !angle && /[,;，；、\n\r\t]/.test(c)) {
      out.push(one);
      one = "";
    } else one += c;
  }
  out.push(one);
  return out.map((x) => x.trim()).filter(Boolean);
}

/** Adds addresses to a list, each once by its bare form. */
export function addAddresses(list: string[], more: string[]): string[] {
  const have = new Set(list.map((x) => bare(x).toLowerCase()));
  return [...list, ...more.filter((x) => !have.has(bare(x).toLowerCase()) && have.add(bare(x).toLowerCase()))];
}

/** The name before an address, else the address. */
export function shortAddress(s: string): string {
  const name = s.slice(0, s.lastIndexOf("<")).trim().replace(/^"|"$/g, "");
  return s.includes("<") && name ? name : bare(s);
}

/** A number as people read it: 138 0013 5678. Other countries' numbers and what is none stay as they are. */
export function showPhone(n: string): string {
  const cn = /^\+86(1\d{2})(\d{4})(\d{4})$/.exec(n);
  if (cn) return `${cn[1]} ${cn[2]} ${cn[3]}`;
  return n;
}

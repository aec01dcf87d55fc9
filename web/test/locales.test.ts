import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

// The files are read, not imported: the build compiles them.
const root = join(process.cwd(), "console/src");
const read = (l: string) => JSON.parse(readFileSync(join(root, `locales/${l}.json`), "utf8"));
const zh = read("zh-CN");
const en = read("en");

function flat(x: Record<string, unknown>, prefix = ""): Map<string, string> {
  const out = new Map<string, string>();
  for (const [k, v] of Object.entries(x)) {
    if (v && typeof v === "object")
      for (const [a, b] of flat(v as Record<string, unknown>, `${prefix}${k}.`)) out.set(a, b);
    else out.set(prefix + k, String(v));
  }
  return out;
}
const texts = { zh: flat(zh), en: flat(en) };
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((f) => /\.(vue|ts)$/.test(f))
  .map((f) => readFileSync(join(root, f), "utf8"))
  .join("\n");

test("both languages have the same texts", () => {
  expect([...texts.zh.keys()].sort()).toEqual([...texts.en.keys()].sort());
});

test("both languages fill in the same values", () => {
  const values = (s = "") => [...new Set(s.match(/\{\w+\}/g) ?? [])].sort();
  for (const [k, v] of texts.zh) expect([k, values(v)]).toEqual([k, values(texts.en.get(k))]);
});

test("no text is empty, and Chinese ones are Chinese", () => {
  for (const [k, v] of [...texts.zh, ...texts.en]) expect([k, v.length > 0]).toEqual([k, true]);
  const latin = [...texts.zh].filter(([, v]) => !/[㐀-鿿、，]/.test(v)).map(([k]) => k);
  expect(latin).toEqual(["nav.otherLanguage"]);
  const hanzi = [...texts.en].filter(([, v]) => /[㐀-鿿]/.test(v)).map(([k]) => k);
  expect(hanzi).toEqual(["nav.otherLanguage"]);
});

test("every text a screen names is there", () => {
  const named = [...sources.matchAll(/(?:\bt\(\s*|\$t\(\s*|help: |title: )["']([a-z]\w*(?:\.\w+)+)["']/g)].map(
    (m) => m[1] as string,
  );
  expect(named.length).toBeGreaterThan(200);
  expect([...new Set(named)].filter((k) => !texts.en.has(k))).toEqual([]);
});

test("every text is used", () => {
  const prefixes = [...sources.matchAll(/`([a-z]\w*(?:\.\w+)*\.)\$\{/g)].map((m) => m[1] as string);
  const groups = [...sources.matchAll(/word\(\s*["']([\w.]+)["']/g)].map((m) => `${m[1]}.`);
  const dead = [...texts.en.keys()].filter(
    (k) =>
      !sources.includes(`"${k}"`) &&
      !sources.includes(`'${k}'`) &&
      ![...prefixes, ...groups].some((p) => k.startsWith(p)),
  );
  expect(dead).toEqual([]);
});

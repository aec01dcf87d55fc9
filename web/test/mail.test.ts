import { expect, test } from "vitest";
import type { Headers } from "@/api/model";
import { addAddresses, bare, isMailAddress, isPhone, shortAddress, showPhone, splitAddresses } from "@/lib/addresses";
import { letterOf } from "@/lib/letter";
import { hasHead, spoofed } from "@/lib/mail";

const head = (over: Partial<Headers> = {}): Headers => ({
  from: "",
  reply_to: "",
  to: [],
  cc: [],
  bcc: [],
  subject: "",
  checks: [],
  badges: [],
  ...over,
});

test("addresses are cut where people cut them, not inside names", () => {
  expect(splitAddresses('a@b.com, "Wang, Fang" <c@d.cn>；e@f.org\n')).toEqual([
    "a@b.com",
    '"Wang, Fang" <c@d.cn>',
    "e@f.org",
  ]);
  expect(splitAddresses(" ,; ")).toEqual([]);
});

test("what no mail server takes is told", () => {
  for (const ok of ["a@b.com", "王芳 <c.d+e@f.co.uk>", "用户@例子.中国"])
    expect([ok, isMailAddress(ok)]).toEqual([ok, true]);
  for (const bad of [
    "",
    "a",
    "a@b",
    "a@@b.com",
    "a b@c.com",
    ".a@b.com",
    "a..b@c.com",
    "a@.com",
    `${"x".repeat(65)}@b.com`,
    "a@b.com\nBcc: x@y.z",
  ])
    expect([bad, isMailAddress(bad)]).toEqual([bad, false]);
});

test("an address stands once whatever name it has", () => {
  expect(addAddresses(["A@b.com"], ["Max <a@B.com>", "c@d.cn", "c@d.cn"])).toEqual(["A@b.com", "c@d.cn"]);
  expect([bare("Max <a@b.com>"), shortAddress('"Max M" <a@b.com>'), shortAddress("a@b.com")]).toEqual([
    "a@b.com",
    "Max M",
    "a@b.com",
  ]);
});

test("numbers are known in any notation and read as people write them", () => {
  expect(["13800138000", "+86 138-0013-8000", "(010) 1234 5678"].map(isPhone)).toEqual([true, true, true]);
  expect(["", "12", "abc", "a@b.com"].map(isPhone)).toEqual([false, false, false, false]);
  expect([showPhone("+8613800138000"), showPhone("+442079460018"), showPhone("anonymous")]).toEqual([
    "138 0013 8000",
    "+442079460018",
    "anonymous",
  ]);
});

test("a failed DMARC is a warning, a failed SPF alone is none", () => {
  expect(spoofed(head({ checks: [{ name: "dmarc", result: "fail", detail: "" }] }))).toBe(true);
  expect(spoofed(head({ badges: ["spoofed"] }))).toBe(true);
  expect(spoofed(head({ checks: [{ name: "spf", result: "softfail", detail: "" }] }))).toBe(false);
  expect([spoofed(null), hasHead(null), hasHead(head()), hasHead(head({ subject: "x" }))]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test("a letter is its template with the words put in, once", () => {
  const words = { text: "Hi {{agent}}", signature: "Lin", agent: "小林", customer: "王芳", number: "GD1" };
  expect(letterOf("", words)).toBe("Hi {{agent}}\n\nLin");
  expect(letterOf("", { ...words, signature: "" })).toBe("Hi {{agent}}");
  expect(letterOf("您好 {{customer}}：\n{{ text }}\n{{nobody}}\n\n", words)).toBe(
    "您好 王芳：\nHi {{agent}}\n{{nobody}}",
  );
});

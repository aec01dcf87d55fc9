import { afterEach, beforeEach, expect, test } from "vitest";
import { bind, press, type Shortcut } from "@/lib/keys";

let ran: string[];
let unbind: () => void;
const s = (keys: string, more: Partial<Shortcut> = {}): Shortcut => ({
  keys,
  help: keys,
  group: "all",
  run: () => ran.push(keys),
  ...more,
});
function hit(key: string, init: KeyboardEventInit & { on?: HTMLElement } = {}, now = 1000) {
  const e = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  let got = false;
  const el = init.on ?? document.body;
  const listen = (x: Event) => {
    got = press(x as KeyboardEvent, now);
  };
  el.addEventListener("keydown", listen);
  el.dispatchEvent(e);
  el.removeEventListener("keydown", listen);
  return { got, prevented: e.defaultPrevented };
}
function element(html: string): HTMLElement {
  document.body.innerHTML = html;
  return document.body.querySelector("[data-x]") as HTMLElement;
}

beforeEach(() => {
  ran = [];
  document.body.innerHTML = "";
  unbind = bind([s("j"), s("Enter"), s("g q"), s("g i"), s("?"), s("Mod+k", { inFields: true }), s("q")]);
});
afterEach(() => unbind());

test("a letter runs its act and nothing else", () => {
  expect(hit("j")).toEqual({ got: true, prevented: true });
  expect(ran).toEqual(["j"]);
});

test("g then a letter goes, and the letter alone means itself again afterwards", () => {
  hit("g");
  hit("q", {}, 1500);
  hit("q", {}, 1600);
  expect(ran).toEqual(["g q", "q"]);
});

test("g alone is forgotten after a moment", () => {
  hit("g", {}, 1000);
  hit("q", {}, 4000);
  expect(ran).toEqual(["q"]);
});

test("letters belong to the text while writing, Ctrl+K does not", () => {
  const on = element("<textarea data-x></textarea>");
  hit("j", { on });
  hit("k", { on, ctrlKey: true });
  expect(ran).toEqual(["Mod+k"]);
});

test("nothing happens while an input method is composing", () => {
  hit("j", { isComposing: true });
  hit("k", { isComposing: true, ctrlKey: true });
  expect(ran).toEqual([]);
});

test("Enter on a button presses the button", () => {
  hit("Enter", { on: element("<button data-x>x</button>") });
  expect(ran).toEqual([]);
  hit("Enter");
  expect(ran).toEqual(["Enter"]);
});

test("a dialog keeps the letters to itself", () => {
  hit("j", { on: element('<div role="dialog"><p data-x tabindex="0">x</p></div>') });
  expect(ran).toEqual([]);
});

test("Shift makes the question mark and needs no name of its own", () => {
  hit("?", { shiftKey: true });
  expect(ran).toEqual(["?"]);
});

test("a shortcut ends with its screen", () => {
  const off = bind([s("x")]);
  off();
  hit("x");
  expect(ran).toEqual([]);
});

// Starts the chat in its frame: reads what the page and the server set, wires the store to the view and both to the page
// around. The page around is another origin: it may open, close, name its user and forget him, and learns only the colour, how
// many messages are unread and that a conversation exists.
import { h, render } from "preact";
import "./app.css";
import { accent, ink } from "./colour";
import { Keep } from "./keep";
import { Store } from "./store";
import { App, type Ui } from "./view";
import { words } from "./words";

const root = document.getElementById("app") as HTMLElement;
const { base = "", color, locale, title } = root.dataset;
const asked = new URLSearchParams(location.search);
const page = asked.get("o") || ""; // origin of the page around
// The page's script tag decides, then the channel's setting, then the page's language.
const lang = /^zh/i.test(asked.get("locale") || (locale !== "auto" && locale) || asked.get("lang") || "")
  ? "zh-CN"
  : "en";
const keep = new Keep(`hearback.${base}.`);

const tell = (m: object) => {
  if (page) parent.postMessage(m, page);
};

const store = new Store(base, lang, keep, { color, title }, changed, tell);
const ui: Ui = {
  store,
  lang,
  w: words(lang),
  close: () => tell({ t: "close" }),
  input: typed,
  press: (e) => {
    // Enter that picks a candidate of an input method is not ours. 229: Safari ends the composition before it reports the key.
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) {
      e.preventDefault();
      submit();
    }
  },
  submit,
  files: (list) => {
    for (const f of Array.from(list || [])) store.attach(f);
  },
  down: toEnd,
  behind: false,
  empty: true,
};

let colour = "";
let drawing = 0;
let unread = -1;
let pending = 0;
let atEnd = true;

function changed(arrived?: boolean): void {
  if (arrived) {
    if (!atEnd) ui.behind = true;
    if (store.sound && (!store.open || document.hidden)) beep();
  }
  drawing ||= setTimeout(draw);
}

function draw(): void {
  drawing = 0;
  dress();
  render(<App {...ui} />, root);
  const n = store.out.list.length;
  if (atEnd || n > pending) toEnd();
  pending = n;
  if (store.unread !== unread) tell({ t: "unread", n: (unread = store.unread) });
}

function toEnd(): void {
  log.scrollTop = log.scrollHeight;
  if (ui.behind) {
    ui.behind = false;
    changed();
  }
}

/** Puts the accent colour on, and tells the launcher to wear the same. */
function dress(): void {
  const c = accent(asked.get("color") || store.config.color);
  if (c === colour) return;
  colour = c;
  root.style.setProperty("--accent", c);
  root.style.setProperty("--ink", ink(c));
  tell({ t: "ready", wear: `${c} ${ink(c)}` });
}

function typed(): void {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  keep.set("draft", text.value);
  ui.empty = !text.value.trim();
  store.typed(!ui.empty);
  changed();
}

function submit(): void {
  const words = text.value.trim();
  if (words && store.send(words)) {
    text.value = "";
    typed();
  }
  text.focus();
}

function beep(): void {
  try {
    const ctx = new AudioContext();
    const tone = ctx.createOscillator();
    const gain = ctx.createGain();
    gain.gain.value = 0.1;
    gain.gain.setTargetAtTime(0, 0, 0.1);
    tone.frequency.value = 880;
    tone.connect(gain).connect(ctx.destination);
    tone.start();
    tone.stop(1);
  } catch {}
}

function show(on: boolean): void {
  store.show(on);
  if (!on) return;
  toEnd();
  // On a phone the keyboard would cover the greeting: there the visitor taps first.
  if (!matchMedia("(pointer: coarse)").matches) text.focus();
}

document.documentElement.lang = lang;
dress();
render(<App {...ui} />, root);
const log = document.getElementById("log") as HTMLElement;
const text = document.getElementById("text") as HTMLTextAreaElement;
text.value = keep.get("draft") || "";

addEventListener("message", (e) => {
  const m = e.data;
  if (e.source !== parent || e.origin !== page || !m) return;
  if (m.t === "identify") store.identify(m.who);
  if (m.t === "open" && m.on !== store.open) show(m.on);
});
addEventListener("keydown", (e) => {
  if (e.key === "Escape" && !e.isComposing) ui.close();
});
addEventListener("online", () => store.nudge());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  store.nudge();
  store.look();
});
addEventListener("resize", () => {
  if (atEnd) toEnd();
});
log.addEventListener("scroll", () => {
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (atEnd && ui.behind) toEnd();
});
typed();
if (!page) show(true);
store.begin();

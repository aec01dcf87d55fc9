// What the browser tests share: a browser, watched pages, a line that can be cut, a look by axe.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What the Go test passes in: base, people, folder for pictures (or ""). */
export const given = JSON.parse(process.env.HEARBACK_E2E ?? "{}");

export const LIMIT_SHIFT = 0.02;
export const SIZES = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } };

const failures = [];

/** Notes a failure and goes on: one run tells everything that is wrong. */
export function fail(what) {
  failures.push(what);
  console.log(`FAIL ${what}`);
}

export function check(ok, what) {
  if (!ok) fail(what);
  return ok;
}

/** Prints what was found and ends the process accordingly. */
export async function finish(browser) {
  await browser.close();
  console.log(failures.length ? `${failures.length} failures` : "all well");
  process.exit(failures.length ? 1 : 0);
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.HEARBACK_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
  });
}

/** A browser of one person: language, theme and size; phones have touch. */
export async function person(browser, { lang, theme, size, state }) {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: lang,
    colorScheme: theme,
    reducedMotion: "reduce",
    isMobile: size === 390,
    hasTouch: size === 390,
    storageState: state,
    timezoneId: "Asia/Shanghai",
  });
  await context.addInitScript(() => {
    window.__shifts = [];
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) {
        if (e.hadRecentInput) continue;
        const what = e.sources.map((s) => (s.node?.outerHTML ?? s.node?.textContent ?? "?").slice(0, 160));
        window.__shifts.push({ value: e.value, at: e.startTime, what });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return context;
}

/** Opens a page whose console is watched. While page.cut is true, failing requests are what the test wants. */
export async function open(context, name) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.name = name;
  page.cut = false;
  page.blocked = 0;
  page.on("console", (m) => {
    if (m.type() !== "error" && m.type() !== "warning") return;
    const text = `${m.text()} (${m.location().url})`;
    if (page.cut && /net::ERR_|WebSocket connection to|Failed to load resource/.test(text)) return;
    // The walk's own observer is put into every frame, also into those that run nothing.
    if (/Blocked script execution/.test(text) && isLetter({ url: () => m.location().url })) {
      if (++page.blocked > 4) fail(`${name}: scripts are tried again and again in a letter`);
      return;
    }
    // Asking who is logged in before the log-in is answered 401; browsers log that by themselves.
    if (/401/.test(text) && /\/api\/v1\/session\b/.test(text)) return;
    fail(`${name}: console ${m.type()}: ${text}`);
  });
  page.on("pageerror", (e) => fail(`${name}: ${e.stack ?? e}`));
  return page;
}

/**
 * What moved on its own since the last look, in all frames of the page: the worst session window of the Layout Instability
 * rules (shifts less than a second apart, five seconds at most).
 */
export async function still(page, where) {
  for (const frame of page.frames()) {
    if (isLetter(frame)) continue;
    const shifts = await frame.evaluate(() => (window.__shifts ?? []).splice(0)).catch(() => []);
    const windows = [];
    for (const s of shifts) {
      const w = windows.at(-1);
      if (w && s.at - w.last < 1000 && s.at - w.first < 5000) {
        w.sum += s.value;
        w.last = s.at;
        w.what.push(...s.what);
      } else windows.push({ sum: s.value, first: s.at, last: s.at, what: s.what });
    }
    for (const w of windows) {
      if (w.sum > LIMIT_SHIFT) fail(`${page.name} ${where}: layout shift ${w.sum.toFixed(3)}: ${w.what.join(" | ")}`);
    }
  }
}

/** What a customer wrote is shown as he wrote it, and runs nothing: not ours to judge, and no place for scripts. */
const isLetter = (frame) => /\/api\/v1\/messages\/[^/]+\/html/.test(frame.url());

/** Every frame must be free of serious and critical axe findings. */
export async function accessible(page, where) {
  for (const frame of page.frames()) {
    if (!frame.url().startsWith("http") || isLetter(frame)) continue;
    await frame.evaluate(axe);
    const found = await frame.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], iframes: false }));
    for (const v of found.violations) {
      if (v.impact !== "serious" && v.impact !== "critical") continue;
      fail(
        `${page.name} ${where}: axe ${v.impact} ${v.id}: ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target.join(" ")} ${n.html.slice(0, 140)} ${n.failureSummary}`)
          .join(" | ")}`,
      );
    }
  }
}

/** A picture for the documentation, when the run was asked for pictures. */
export async function picture(page, name) {
  if (given.pictures)
    await page.screenshot({ path: `${given.pictures}/${name}.png`, animations: "disabled", caret: "hide" });
}

/**
 * A line to the gateway that can be cut like a network: what was open is gone, what comes is refused, until it is mended.
 */
export class Line {
  down = false;
  refused = 0;
  #sockets = new Set();
  #waiting = [];

  static async to(base) {
    const line = new Line();
    const target = new URL(base);
    const server = net.createServer((near) => {
      if (line.down) {
        line.refused++;
        line.#waiting = line.#waiting.filter((w) => line.refused < w.count || w.done());
        return near.destroy();
      }
      const far = net.connect(Number(target.port), target.hostname);
      for (const [a, b] of [
        [near, far],
        [far, near],
      ]) {
        line.#sockets.add(a);
        a.on("close", () => {
          line.#sockets.delete(a);
          b.destroy();
        });
        a.on("error", () => b.destroy());
        a.pipe(b);
      }
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    server.unref();
    line.base = `http://127.0.0.1:${server.address().port}`;
    return line;
  }

  cut() {
    this.down = true;
    this.refused = 0;
    for (const s of this.#sockets) s.destroy();
  }

  mend() {
    this.down = false;
  }

  /** Resolves when count connections were refused since the cut: that many times somebody tried to come back. */
  tried(count) {
    return this.refused >= count ? Promise.resolve() : new Promise((done) => this.#waiting.push({ count, done }));
  }
}

/** Logs a person in through the form and returns the state of his browser. */
export async function logIn(browser, base, who) {
  const context = await person(browser, { lang: "zh-CN", theme: "light", size: 1440 });
  const page = await open(context, `log-in of ${who.email}`);
  await page.goto(`${base}/login`);
  await page.getByTestId("login-email").fill(who.email);
  await page.getByTestId("login-password").fill(who.password);
  await page.getByTestId("login-submit").click();
  await page.getByTestId("ticket-list").waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** A call of the server's API as the person of the page; what is refused ends the walk. */
export async function api(page, method, path, body) {
  const answer = await page.evaluate(
    async ([m, p, b]) => {
      const r = await fetch(`/api/v1${p}`, {
        method: m,
        headers: b ? { "content-type": "application/json" } : {},
        body: b ? JSON.stringify(b) : undefined,
      });
      return { status: r.status, body: await r.text() };
    },
    [method, path, body],
  );
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 400)}`);
  return answer.body ? JSON.parse(answer.body) : null;
}

/** Waits until something is so; the reason is told when it never is. */
export async function until(what, is, within = 20_000) {
  const end = Date.now() + within;
  for (;;) {
    if (await is()) return true;
    if (Date.now() > end) return fail(`never happened: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** A little picture, 48 × 32: a red cross on blue. */
export const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAADAAAAAgCAIAAADbtmxLAAAAQklEQVR42u3UwQkAIAwEwRSWSqw9xViA/oJIYGDfx7wuclWnyjzrDAYQEBAQENB00HXxY0BAQM9BjhEICAgIaDhoAwGvcJenxmOEAAAAAElFTkSuQmCC",
  "base64",
);

/** The chat in the demo shop. */
export class Chat {
  constructor(page) {
    this.page = page;
    this.launcher = page.locator("hearback-widget button");
    const frame = page.frameLocator("hearback-widget iframe");
    this.frame = frame;
    this.input = frame.locator("#text");
    this.send = frame.locator(".go");
    this.log = frame.locator("#log");
    this.waiting = frame.locator(".row.wait");
    this.lost = frame.locator(".lost");
  }

  async open() {
    await this.launcher.click();
    await this.input.waitFor();
  }

  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** A bubble with exactly this text. */
  said(text) {
    return this.log.locator(".bubble", { hasText: new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) });
  }

  texts() {
    return this.log.locator(".bubble").allTextContents();
  }
}

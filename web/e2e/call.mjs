// A call centre (here: this script, signing as Standard Webhooks do) and an agent at his console: the call rings and pops up
// without taking the focus, is answered, ends, its recording plays; one nobody took becomes a promise to call back, the call
// centre is asked for it, its call keeps the promise.
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import http from "node:http";
import { accessible, api, check, finish, given, launch, logIn, open, person, picture, still, until } from "./lib.mjs";

const { lang, theme, size } = given.look;
const tag = `${lang}-${theme}-${size}`;
const browser = await launch();
const look = { lang, theme, size };

/** The call centre: serves recordings, is asked for callbacks, tells of calls. */
class Centre {
  secret = `whsec_${randomBytes(24).toString("base64")}`;
  asked = []; // callbacks, as they came
  fetched = 0;

  static async open() {
    const c = new Centre();
    c.server = http.createServer((q, s) => c.serve(q, s));
    await new Promise((done) => c.server.listen(0, "127.0.0.1", done));
    c.server.unref();
    c.base = `http://127.0.0.1:${c.server.address().port}`;
    return c;
  }

  serve(q, s) {
    if (q.method === "GET") {
      this.fetched++;
      s.writeHead(200, { "content-type": "audio/wav" });
      return s.end(sound(12));
    }
    let body = "";
    q.on("data", (d) => {
      body += d;
    });
    q.on("end", () => {
      const key = Buffer.from(this.secret.slice(6), "base64");
      const signed = `${q.headers["webhook-id"]}.${q.headers["webhook-timestamp"]}.${body}`;
      const want = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
      const right = String(q.headers["webhook-signature"]).split(" ").includes(want);
      this.asked.push({ right, ...JSON.parse(body) });
      s.writeHead(right ? 200 : 401, { "content-type": "application/json" });
      s.end("{}");
    });
  }

  /** Tells the gateway one thing of a call. */
  async tell(url, secret, event) {
    const id = `msg_${randomUUID()}`;
    const at = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({ occurred_at: new Date().toISOString(), ...event });
    const key = Buffer.from(secret.slice(6), "base64");
    const signature = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
    const r = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(at),
        "webhook-signature": `v1,${signature}`,
      },
      body,
    });
    check(r.status === 200, `the gateway answered ${r.status} to ${event.type}: ${await r.text()}`);
  }
}

/** Twelve seconds of something like speech, as a telephone records it: 8 kHz, 16 bit. */
function sound(seconds) {
  const n = seconds * 8000;
  const b = Buffer.alloc(44 + n * 2);
  b.write("RIFF", 0);
  b.writeUInt32LE(36 + n * 2, 4);
  b.write("WAVEfmt ", 8);
  b.writeUInt32LE(16, 16);
  b.writeUInt16LE(1, 20);
  b.writeUInt16LE(1, 22);
  b.writeUInt32LE(8000, 24);
  b.writeUInt32LE(16000, 28);
  b.writeUInt16LE(2, 32);
  b.writeUInt16LE(16, 34);
  b.write("data", 36);
  b.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i++) {
    const t = i / 8000;
    const loud = Math.abs(Math.sin(t * 1.1)) * Math.abs(Math.sin(t * 5.3)) * (t % 4 < 3 ? 1 : 0.05);
    b.writeInt16LE(Math.round(Math.sin(t * 2 * Math.PI * 210) * 12000 * loud), 44 + i * 2);
  }
  return b;
}

const centre = await Centre.open();
const boss = await open(
  await person(browser, { lang, theme, size: 1440, state: await logIn(browser, given.base, given.admin) }),
  "admin",
);
await boss.goto(`${given.base}/admin/channels`);
await boss.getByTestId("channel-add").waitFor();
const session = await api(boss, "GET", "/session");
const team = session.teams.find((t) => t.name.includes("财务"));
const line = await api(boss, "POST", "/channels", {
  kind: "telephony",
  name: "客服热线 Hotline",
  enabled: true,
  team_id: team.id,
  settings: { format: "generic", callback_url: `${centre.base}/callbacks`, callback_secret: centre.secret },
});
const agents = (await api(boss, "GET", "/agents")).items;
const lin = agents.find((a) => a.email === given.right.email);
await api(boss, "PATCH", `/agents/${lin.id}`, { extensions: ["7301"] });
const secret = line.made.secret;
const tell = (event) => centre.tell(line.url, secret, event);

const state = await logIn(browser, given.base, given.right);
const page = await open(await person(browser, { ...look, state }), `console of ${given.right.email}`);
await page.goto(`${given.base}/inbox/mine`);
await page.getByTestId("ticket-list").waitFor();
await page.getByTestId("presence").and(page.locator('[data-availability="available"]')).waitFor();

// It rings: the pop-up is there at once, says who, and takes no focus.
const call = { call_id: "call-1", direction: "inbound", from: "+8613800138000", to: "+864008001234", queue: "贵宾线" };
await page.getByTestId("start").focus();
const focused = () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120));
const before = await focused();
const begin = Date.now();
await tell({ ...call, type: "call.ringing", agents: [{ ext: "7301" }] });
const pop = page.getByTestId("call");
await pop.waitFor();
console.log(`the call pops up after ${Date.now() - begin} ms`);
check(Date.now() - begin < 2000, `the pop-up came after ${Date.now() - begin} ms`);
check((await focused()) === before, "the pop-up took the focus");
check((await pop.getAttribute("data-mine")) === "true", "the agent's own call is not marked as his");
check(
  (await page.getByTestId("call-spoken").textContent()).includes("13800138000"),
  "a screen reader is not told who calls",
);
const wasWaiting = await page.getByTestId("call-time").textContent();
await until("the ringing timer moves", async () => (await page.getByTestId("call-time").textContent()) !== wasWaiting);
await accessible(page, "ringing");
if (size === 1440) await picture(page, `call-${tag}`);

// He answers, they talk, they hang up.
await tell({ ...call, type: "call.answered", agent: { ext: "7301" } });
await page.locator('[data-testid="call"][data-state="answered"]').waitFor();
await until("the caller is known by his ticket", async () => page.getByTestId("call-open").isVisible());
await page.keyboard.press("Alt+Enter");
const card = page.getByTestId("call-card");
await card.and(page.locator('[data-state="answered"]')).waitFor();
await tell({ ...call, type: "call.hangup", hangup: { by: "customer", cause: "normal" } });
await card.and(page.locator('[data-state="ended"]')).waitFor();
await page.locator('[data-testid="call"][data-state="ended"]').waitFor();
await page.getByTestId("call-dismiss").click();

// Its recording comes later, is fetched, drawn and played.
await tell({
  ...call,
  type: "call.recording",
  recording: { id: "r1", url: `${centre.base}/r1.wav`, type: "audio/wav" },
});
const sounds = page.getByTestId("sound");
await sounds.and(page.locator("[data-ready]")).waitFor();
await page.getByTestId("sound-play").click();
await until("the recording plays", async () => (await page.getByTestId("sound-time").textContent()).startsWith("0:01"));
await page.getByTestId("sound-play").click();
const position = page.getByTestId("sound-position");
await position.focus();
await page.keyboard.press("ArrowRight");
check(Number(await position.getAttribute("aria-valuenow")) >= 5, "the arrow key does not move the recording on");
check(centre.fetched === 1, `the recording was fetched ${centre.fetched} times`);
await accessible(page, "call with recording");
await still(page, "call with recording");
if (size === 390) await picture(page, `call-card-${tag}`);

// Nobody takes the next one: a promise to call back, in the list and at the head of its ticket.
const missed = {
  call_id: "call-2",
  direction: "inbound",
  from: "+8613900139000",
  to: "+864008001234",
  queue: "贵宾线",
};
await tell({ ...missed, type: "call.ringing", agents: [{ ext: "7301" }] });
await pop.waitFor();
await tell({ ...missed, type: "call.hangup", hangup: { by: "customer" } });
await page.goto(`${given.base}/inbox/all`);
const row = page.getByTestId("ticket-row").filter({ has: page.getByTestId("callback-chip") });
await row.first().waitFor();
const words = { "zh-CN": "未接来电", en: "Missed call" }[lang];
check(
  (await row.first().textContent()).includes(words),
  `the list does not say ${words}: ${await row.first().textContent()}`,
);
await row.first().click();
const bar = page.getByTestId("callback");
await bar.waitFor();
await page.locator('[data-testid="call-card"][data-outcome="missed"]').waitFor();
check(
  (await page.getByTestId("callback-tel").getAttribute("href")) === "tel:+8613900139000",
  "the number cannot be dialled",
);
await accessible(page, "missed call");
await still(page, "missed call");

// One key of the mouse asks the call centre, whose call keeps the promise.
await page.getByTestId("callback-call").click();
await until("the call centre is asked", async () => centre.asked.some((a) => a.type === "callback.requested"));
const asked = centre.asked.find((a) => a.type === "callback.requested");
check(asked.right, "the request for a callback is not signed rightly");
check(asked.data.number === "+8613900139000", `the call centre is to call ${asked.data.number}`);
await bar.and(page.locator('[data-state="requested"]')).waitFor();
const back = {
  call_id: "call-3",
  direction: "outbound",
  from: "+864008001234",
  to: "+8613900139000",
  callback_id: asked.data.callback_id,
};
await tell({ ...back, type: "call.ringing", agents: [{ ext: "7301" }] });
await tell({ ...back, type: "call.answered", agent: { ext: "7301" } });
await tell({ ...back, type: "call.hangup", hangup: { by: "agent" } });
await bar.and(page.locator('[data-state="done"]')).waitFor();
await until("both calls stand on one ticket", async () => (await page.getByTestId("call-card").count()) === 2);
await still(page, "called back");
await accessible(page, "called back");

// And one is marked by hand.
const third = { call_id: "call-4", direction: "inbound", from: "+8613700137000", to: "+864008001234" };
await tell({ ...third, type: "call.ringing", agents: [{ ext: "7301" }] });
await tell({ ...third, type: "call.hangup", hangup: { by: "customer" } });
await page.goto(`${given.base}/inbox/all`);
await row.first().waitFor();
await row.first().click();
await page.getByTestId("callback-done").click();
await bar.and(page.locator('[data-state="done"]')).waitFor();

// What came in stands in the live log, what was refused with its reason.
await boss.goto(`${given.base}/admin/channels/${line.id}`);
await boss.getByTestId("log-row").first().waitFor();
const was = await boss.getByTestId("log-row").count();
const forged = await fetch(line.url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
check(forged.status >= 400 && forged.status < 500, `an unsigned event was answered ${forged.status}`);
await until("the refused event shows by itself", async () => (await boss.getByTestId("log-row").count()) > was);
await boss.locator('[data-testid="log-row"][data-refused]').first().waitFor();
await accessible(boss, "live log");
await still(boss, "live log");

await finish(browser);

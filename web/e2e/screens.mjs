// Every screen in both languages, themes and sizes: no console error or warning, no serious axe finding, nothing that jumps.
// With pictures asked for it also takes those of the documentation.
import { accessible, Chat, check, fail, finish, given, launch, logIn, open, person, picture, still } from "./lib.mjs";

const screens = [
  { name: "inbox", path: "/inbox/all", ready: (p) => p.getByTestId("ticket-row").first() },
  { name: "ticket", path: "/inbox/all", ready: (p) => p.getByTestId("ticket-row").first(), step: openTicket },
  { name: "search", path: "/search", ready: (p) => p.getByTestId("search-input") },
  { name: "contacts", path: "/contacts", ready: (p) => p.getByTestId("contact-row").first() },
  { name: "settings", path: "/settings", ready: (p) => p.getByTestId("settings-theme") },
  { name: "channels", path: "/admin/channels", ready: (p) => p.getByTestId("channel-card").first() },
  { name: "agents", path: "/admin/agents", ready: (p) => p.getByTestId("agent-row").first() },
  { name: "teams", path: "/admin/teams", ready: (p) => p.getByTestId("team-row").first() },
  { name: "rules", path: "/admin/rules", ready: (p) => p.getByTestId("rule-row").first() },
  { name: "intake", path: "/admin/intake", ready: (p) => p.getByTestId("intake-row").first() },
  { name: "try", path: "/admin/try", ready: (p) => p.getByTestId("try-body") },
  { name: "new-ticket", path: "/inbox/all", ready: (p) => p.getByTestId("ticket-row").first(), step: beginTicket },
  { name: "channel", path: "/admin/channels", ready: (p) => p.getByTestId("channel-card").first(), step: openChannel },
];

/** The pictures the documentation shows; few, for they stay in the history. */
const pictures = [
  "inbox-zh-CN-light-390",
  "channels-zh-CN-light-1440",
  "rules-en-dark-1440",
  "login-en-light-1440",
  "shop-zh-CN-light-1440",
  "shop-en-dark-390",
];

async function openTicket(page) {
  await page.getByTestId("ticket-row").first().click();
  await page.getByTestId("message-text").first().waitFor();
  await page
    .getByTestId("composer-input")
    .or(page.getByTestId("claim"))
    .or(page.getByTestId("claim-phone"))
    .filter({ visible: true }) // each size hides the other one's button
    .first()
    .waitFor();
}

async function beginTicket(page) {
  await page.getByTestId("start").click();
  await page.getByTestId("start-form").or(page.getByTestId("start-none")).waitFor();
}

async function openChannel(page) {
  await page.getByTestId("channel-card").first().click();
  await page.getByTestId("channel-log").waitFor();
}

const browser = await launch();
const base = given.base;
await talk();
const state = await logIn(browser, base, given.admin);

for (const lang of ["zh-CN", "en"])
  for (const theme of ["light", "dark"])
    for (const size of [1440, 390]) {
      const look = { lang, theme, size };
      const tag = `${lang}-${theme}-${size}`;
      await console_(look, tag);
      await shop(look, tag);
    }
await finish(browser);

/** Fills the desk with a few conversations, through the demo shop itself. */
async function talk() {
  for (const [lang, text] of [
    ["zh-CN", "你好，订单 HB-20881 的退款还没到账"],
    ["en", "Where is my parcel? It has not moved for three days."],
    ["zh-CN", "晚风风铃还有货吗？"],
  ]) {
    const context = await person(browser, { lang, theme: "light", size: 1440 });
    const page = await open(context, "customer");
    await page.goto(`${base}/demo?lang=${lang}`);
    const chat = new Chat(page);
    await chat.open();
    await chat.say(text);
    await chat.frame.locator(".row.visitor:not(.wait)").waitFor();
    await context.close();
  }
}

async function console_(look, tag) {
  const context = await person(browser, { ...look, state });
  const page = await open(context, `console ${tag}`);
  const scripts = new Set();
  page.on("request", (r) => r.resourceType() === "script" && scripts.add(r.url()));
  for (const [i, s] of screens.entries()) {
    await page.goto(base + s.path);
    await s.ready(page).waitFor();
    if (s.step) await s.step(page);
    if (i === 0 && tag === "zh-CN-light-1440") {
      await page.waitForLoadState("networkidle");
      let size = 0;
      for (const url of scripts)
        size += Number((await fetch(url, { headers: { "accept-encoding": "gzip" } })).headers.get("content-length"));
      console.log(`first load: ${scripts.size} scripts, ${size} bytes as gzip`);
      check(
        size > 0 && size < 150 * 1024,
        `the console's first load has ${size} bytes of script, the limit is ${150 * 1024}`,
      );
    }
    await still(page, s.name);
    await accessible(page, s.name);
    if (pictures.includes(`${s.name}-${tag}`)) await picture(page, `${s.name}-${tag}`);
  }
  await context.close();

  const stranger = await person(browser, look);
  const login = await open(stranger, `log-in ${tag}`);
  await login.goto(`${base}/login`);
  await login.getByTestId("login-email").waitFor();
  await still(login, "log-in");
  await accessible(login, "log-in");
  if (pictures.includes(`login-${tag}`)) await picture(login, `login-${tag}`);
  await stranger.close();
}

async function shop(look, tag) {
  const context = await person(browser, look);
  const page = await open(context, `shop ${tag}`);
  await page.goto(`${base}/demo?lang=${look.lang}`);
  const chat = new Chat(page);
  await chat.launcher.waitFor();
  if (pictures.includes(`shop-${tag}`)) await picture(page, `shop-${tag}`);
  await chat.open();
  await chat.say(look.lang === "en" ? "Is the evening chime in stock?" : "晚风风铃还有货吗？");
  await chat.frame.locator(".row.visitor:not(.wait)").waitFor();
  const language = await page
    .frames()
    .at(-1)
    .evaluate(() => document.documentElement.lang)
    .catch((e) => fail(`${page.name}: ${e}`));
  check(language === look.lang, `${page.name}: the widget speaks ${language}`);
  await still(page, "chat");
  await accessible(page, "chat");
  await context.close();
}

// A customer in the demo shop and two agents in their consoles: the right one sees what the customer writes at once, answers,
// the line is cut on both sides while both go on writing, and in the end every message stands once and in order everywhere.
import {
  accessible,
  Chat,
  check,
  fail,
  finish,
  given,
  Line,
  launch,
  logIn,
  open,
  person,
  picture,
  still,
} from "./lib.mjs";

const { lang, theme, size } = given.look;
const words = {
  "zh-CN": {
    ask: "你好，订单 HB-20881 我要退款",
    answer: "您好！已经为您申请退款，预计 24 小时内到账。",
    during: "断网时客户写的第",
    back: "断网时客服写的第",
    thanks: "收到了，谢谢！",
  },
  en: {
    ask: "Hello, I want a refund for HB-20881",
    answer: "Hello! Your refund is on its way, within 24 hours.",
    during: "customer offline ",
    back: "agent offline ",
    thanks: "Got it, thank you!",
  },
}[lang];

const browser = await launch();
const near = await Line.to(given.base); // the customer's line
const far = await Line.to(given.base); // the agent's line
const look = { lang, theme, size };

const [right, wrong] = await Promise.all(
  [given.right, given.wrong].map(async (who) => {
    const state = await logIn(browser, far.base, who);
    const page = await open(await person(browser, { ...look, state }), `console of ${who.email}`);
    await page.goto(`${far.base}/inbox/mine`);
    await page.getByTestId("ticket-list").waitFor();
    await page.getByTestId("presence").and(page.locator('[data-availability="available"]')).waitFor();
    return page;
  }),
);

const shop = await open(await person(browser, look), "shop");
await shop.goto(`${near.base}/demo?lang=${lang}`);
const chat = new Chat(shop);
await chat.launcher.waitFor();
await accessible(shop, "shop");
await chat.open();

// The customer writes; the agent of the right team has it within a second, without a reload.
await chat.input.pressSequentially(words.ask);
const begin = Date.now();
await chat.send.click();
await right.getByTestId("ticket-row").first().waitFor();
const took = Date.now() - begin;
console.log(`ticket on the right agent's screen after ${took} ms`);
check(took < 1000, `the agent saw the ticket after ${took} ms, the limit is 1000`);
await right.getByTestId("ticket-row").first().click();
await right.getByTestId("message-text").filter({ hasText: words.ask }).waitFor();
check((await wrong.getByTestId("ticket-row").count()) === 0, "the agent of the other team was given the ticket too");

// He answers; the customer sees it, also when the chat is closed: then as a number on the launcher.
const reply = async (text) => {
  await right.getByTestId("composer-input").fill(text);
  await right.getByTestId("composer-send").click();
};
await reply(words.answer);
await chat.said(words.answer).waitFor();
await right
  .locator(
    '[data-testid="message"][data-direction="out"][data-state="read"], [data-testid="message"][data-direction="out"][data-state="delivered"]',
  )
  .first()
  .waitFor();
await still(shop, "conversation");
await accessible(shop, "conversation");
await accessible(right, "conversation");
await picture(shop, `widget-${lang}-${theme}-${size}`);
await picture(right, `console-${lang}-${theme}-${size}`);

// The line is cut on both sides, both go on writing, and come back.
for (const p of [shop, right, wrong]) p.cut = true;
near.cut();
far.cut();
await chat.lost.waitFor();
await right.getByTestId("live-banner").waitFor();
const customer = [1, 2, 3].map((n) => `${words.during}${n}`);
const agent = [1, 2, 3].map((n) => `${words.back}${n}`);
for (const n of [0, 1, 2]) {
  await chat.say(customer[n]);
  await reply(agent[n]);
}
check((await chat.waiting.count()) === 3, `${await chat.waiting.count()} messages wait in the widget, not 3`);
if (size === 390) await picture(shop, `widget-offline-${lang}-${theme}-${size}`);
await Promise.all([near.tried(4), far.tried(4)]); // both sides have tried in vain for a while
near.mend();
far.mend();

for (const text of agent) await chat.said(text).waitFor();
for (const text of customer) await right.getByTestId("message-text").filter({ hasText: text }).waitFor();
await chat.waiting.first().waitFor({ state: "detached" });
await chat.lost.waitFor({ state: "detached" });
await right.getByTestId("live-banner").waitFor({ state: "detached" });
for (const p of [shop, right, wrong]) p.cut = false;
await chat.say(words.thanks);
await right.getByTestId("message-text").filter({ hasText: words.thanks }).waitFor();

const inOrder = (all, want, where) => {
  const got = all.filter((t) => want.includes(t));
  if (JSON.stringify(got) !== JSON.stringify(want))
    fail(`${where}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
};
const mine = [words.ask, ...customer, words.thanks];
const his = [words.answer, ...agent];
const seen = (await right.getByTestId("message-text").allTextContents()).map((t) => t.trim());
inOrder(await chat.texts(), mine, "the customer's messages in the widget");
inOrder(await chat.texts(), his, "the agent's messages in the widget");
inOrder(seen, mine, "the customer's messages in the console");
inOrder(seen, his, "the agent's messages in the console");
await still(shop, "after the cut");
await still(right, "after the cut");

// A reload shows the same conversation.
await shop.reload();
await chat.launcher.waitFor();
if ((await chat.launcher.getAttribute("aria-expanded")) !== "true") await chat.open();
await chat.said(words.thanks).waitFor();
inOrder(await chat.texts(), mine, "the customer's messages after a reload");
inOrder(await chat.texts(), his, "the agent's messages after a reload");
await still(shop, "after a reload");

// Closed, the launcher counts what was not seen.
if (size === 390) await chat.frame.locator("#close").click();
else await chat.launcher.click();
await reply(words.answer);
await shop.locator("hearback-widget button", { hasText: "1" }).waitFor();

await finish(browser);

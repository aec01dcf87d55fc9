// A WeChat customer on the demo's phone and an agent at his console: text, picture and voice in, text and picture back, the count
// of replies left, and what happens when it is used up.
import {
  accessible,
  check,
  finish,
  given,
  launch,
  logIn,
  open,
  PICTURE,
  person,
  picture,
  still,
  until,
} from "./lib.mjs";

const { lang, theme, size } = given.look;
const tag = `${lang}-${theme}-${size}`;
const browser = await launch();
const look = { lang, theme, size };
const words = {
  "zh-CN": { ask: "我要退款，钱还没到账", answer: "您好，已为您加急处理。", again: "好的，谢谢" },
  en: { ask: "I want a refund, 退款", answer: "Hello, we are on it.", again: "Thank you" },
}[lang];

const state = await logIn(browser, given.base, given.right);
const page = await open(await person(browser, { ...look, state }), `console of ${given.right.email}`);
await page.goto(`${given.base}/inbox/mine`);
await page.getByTestId("ticket-list").waitFor();
await page.getByTestId("presence").and(page.locator('[data-availability="available"]')).waitFor();

const phone = await open(await person(browser, look), "WeChat customer");
await phone.goto(`${given.base}/demo/wechat?lang=${lang}`);
await phone.locator("#text").waitFor();
const say = async (text) => {
  await phone.locator("#text").fill(text);
  await phone.locator("#send").click();
};
/** What the customer sees of us. */
const theirs = phone.locator("#lines .row:not(.mine)");

// Text, picture and voice in.
await say(words.ask);
const row = page.getByTestId("ticket-row").first();
await row.waitFor();
await row.click();
await page.getByTestId("message-text").filter({ hasText: words.ask }).waitFor();
const send = async (id) => {
  if (!(await phone.locator(id).isVisible())) await phone.locator("#more").click();
  await phone.locator(id).click();
};
await send("#sample");
const shot = page.locator('[data-testid="message"][data-direction="in"] [data-testid="attachment"] img');
await shot.waitFor();
await until("the customer's picture is shown", () => shot.evaluate((i) => i.complete && i.naturalWidth > 0));
await send("#voice");
const voice = page.locator('[data-testid="sound"][data-ready]');
await voice.waitFor();
check(!(await page.locator("[data-testid=sound][data-broken]").count()), "the voice message cannot be played");
await voice.getByTestId("sound-play").click();
await page.locator('[data-testid="sound"][data-playing]').waitFor();
const moved = async () => (await voice.getByTestId("sound-time").textContent()).startsWith("0:01");
await until("the voice message plays", moved);
await page.locator('[data-testid="sound"]:not([data-playing])').waitFor();

// The composer says by which way, how long, how often.
await page.getByTestId("window-chip").waitFor();
const left = async () => Number(/\d+/.exec(await page.getByTestId("quota-chip").textContent())?.[0]);
const most = await left();
check(most > 0 && most <= 5, `${most} replies are said to be left`);
await accessible(page, "WeChat conversation");
await still(page, "WeChat conversation");
await accessible(phone, "phone");
if (size === 1440) await picture(page, `wechat-${tag}`);

// Text and picture back.
const reply = async (text) => {
  await page.getByTestId("composer-input").fill(text);
  await page.getByTestId("composer-send").click();
};
await reply(words.answer);
await theirs.filter({ hasText: words.answer }).waitFor();
await until("the count goes down", async () => (await left()) === most - 1);
await page.getByTestId("composer-file").setInputFiles({ name: "answer.png", mimeType: "image/png", buffer: PICTURE });
await page.getByTestId("upload").waitFor();
await until("the picture is uploaded", () => page.getByTestId("composer-send").isEnabled());
await page.getByTestId("composer-send").click();
const got = theirs.locator("img");
await got.first().waitFor();
await until("our picture is on the phone", () => got.first().evaluate((i) => i.complete && i.naturalWidth > 0));
await until("the picture counts too", async () => (await left()) === most - 2);

// All used: known before it is tried, nothing is lost, another way is offered.
for (let n = most - 2; n > 0; n--) {
  await reply(`${words.answer} ${n}`);
  await theirs.filter({ hasText: `${words.answer} ${n}` }).waitFor();
  if (n > 1) await until(`${n - 1} left`, async () => (await left()) === n - 1);
}
await page.getByTestId("composer-blocked").waitFor();
check(await page.getByTestId("composer-send").isDisabled(), "the sixth reply can be sent");
await page.getByTestId("way-out").first().waitFor();
await accessible(page, "used quota");
await still(page, "used quota");

// The customer writes again, and so can we.
await say(words.again);
await page.getByTestId("message-text").filter({ hasText: words.again }).waitFor();
await page.getByTestId("composer-blocked").waitFor({ state: "detached" });
await until("all replies are back", async () => (await left()) === most);
await reply(words.again);
await theirs.filter({ hasText: words.again }).waitFor();

await finish(browser);

// An agent answers a customer's mail in the console; the customer's mail program (played by the Go test) answers that, and the
// agent sees it in the same conversation.
import { accessible, check, finish, given, launch, logIn, open, person, picture, still } from "./lib.mjs";

const { lang, theme, size } = given.look;
const { customer, asks, answer, thanks } = JSON.parse(process.env.HEARBACK_E2E_MAIL ?? "{}");
const browser = await launch();
const state = await logIn(browser, given.base, given.right);
const page = await open(await person(browser, { lang, theme, size, state }), "console");
await page.goto(`${given.base}/inbox/mine`);
await page.getByTestId("ticket-list").waitFor();

const row = page.getByTestId("ticket-row").filter({ hasText: customer });
await row.first().waitFor({ timeout: 60_000 });
await row.first().click();
await page.getByTestId("message").filter({ hasText: asks }).first().waitFor();
await page.getByTestId("composer-input").fill(answer);
await page.getByTestId("composer-send").click();
await page
  .locator('[data-testid="message"][data-direction="out"][data-state="sent"]')
  .filter({ hasText: answer })
  .waitFor();
await page.getByTestId("message").filter({ hasText: thanks }).first().waitFor({ timeout: 60_000 });
check((await page.getByTestId("ticket-row").count()) === 1, "the customer's answer opened another ticket");
await still(page, "mail conversation");
await accessible(page, "mail conversation");
await picture(page, `mail-${lang}-${theme}-${size}`);
await finish(browser);

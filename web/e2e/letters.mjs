// A customer's letter, answered in the browser: who else got it, its pictures kept away until asked for, copies of the answer, his
// answer on the same ticket; and a letter that we begin. The mailbox is the Go test's.
import { accessible, check, finish, given, launch, logIn, open, person, picture, still, until } from "./lib.mjs";

const { lang, theme, size } = given.look;
const tag = `${lang}-${theme}-${size}`;
const browser = await launch();

/** The post office of the test: letters in, letters out. */
const deliver = async (raw) => {
  const r = await fetch(`${given.post}/deliver`, { method: "POST", body: raw.replaceAll("\n", "\r\n") });
  check(r.ok, `delivering a letter was answered ${r.status}`);
};
const sent = async () => (await fetch(`${given.post}/sent`)).json();
/** The first letter that left with these words in it. */
async function left(words) {
  let found;
  await until(`a letter with “${words}” leaves`, async () => {
    found = (await sent()).find((raw) => raw.includes(words));
    return !!found;
  });
  return found ?? "";
}
const header = (raw, name) =>
  raw
    .slice(0, raw.indexOf("\r\n\r\n"))
    .replaceAll(/\r\n[ \t]/g, " ")
    .split("\r\n")
    .find((l) => l.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    ?.slice(name.length + 1)
    .trim() ?? "";

const state = await logIn(browser, given.base, given.admin);
const page = await open(await person(browser, { lang, theme, size, state }), "console of the admin");
await page.goto(`${given.base}/inbox/all`);
await page.getByTestId("ticket-list").waitFor();

await deliver(`From: Ada Byron <ada@customer.test>
To: support@shop.test
Cc: Max Planck <max@customer.test>
Subject: Invoice 4471 is wrong
Message-ID: <first@customer.test>
Date: ${new Date().toUTCString()}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Please correct the VAT number on invoice 4471.
--b
Content-Type: text/html; charset=utf-8

<p>Please correct the <b>VAT number</b> on invoice 4471.</p><img src="http://tracker.test/x.gif"><script>document.title="owned"</script>
--b--
`);
const row = page.getByTestId("ticket-row").filter({ hasText: "Ada Byron" });
await row.first().waitFor();
await row.first().click();
await page.getByTestId("message-text").filter({ hasText: "VAT number" }).waitFor();

// Its head, folded; its original in a frame that fetches nothing from outside.
await page.getByTestId("mail-fold").first().click();
await page.getByText("max@customer.test").first().waitFor();
const foreign = [];
page.on("request", (r) => r.url().includes("tracker.test") && foreign.push(r.url()));
const original = async () => {
  await page.locator('[data-testid="message"] [aria-haspopup="menu"]').first().click();
  await page.getByTestId("message-original").click();
};
await original();
await page.getByTestId("mail-html").waitFor();
await page.frameLocator('[data-testid="mail-html"] iframe').locator("b", { hasText: "VAT number" }).waitFor();
check(foreign.length === 0, `the letter asked for ${foreign[0]}`);
check((await page.title()) !== "owned", "a script in the letter ran");
await page.getByTestId("show-pictures").waitFor();
await accessible(page, "letter");
await still(page, "letter");
if (size === 390) await picture(page, `letter-${tag}`);
await original();

// Answered, with those who got it too and one more.
await page.getByTestId("reply-all").click();
await page.getByTestId("cc-input").fill("books@shop.test,");
check((await page.getByTestId("address-chip").count()) === 2, "the copies are not two");
await page.getByTestId("composer-input").fill("It is corrected, thank you.");
await accessible(page, "answer with copies");
await page.getByTestId("composer-send").click();
const answer = await left("It is corrected, thank you.");
check(header(answer, "In-Reply-To").includes("first@customer.test"), `In-Reply-To is ${header(answer, "In-Reply-To")}`);
check(/^re:/i.test(header(answer, "Subject")), `the subject is ${header(answer, "Subject")}`);
for (const who of ["max@customer.test", "books@shop.test"])
  check(header(answer, "Cc").includes(who), `${who} gets no copy: ${header(answer, "Cc")}`);
await page.locator('[data-testid="message"][data-direction="out"][data-state="sent"]').first().waitFor();
await still(page, "answered");

// He answers that: the same ticket.
await deliver(`From: Ada Byron <ada@customer.test>
To: support@shop.test
Subject: ${header(answer, "Subject")}
Message-ID: <second@customer.test>
In-Reply-To: ${header(answer, "Message-ID")}
References: <first@customer.test> ${header(answer, "Message-ID")}
Date: ${new Date().toUTCString()}

Perfect, that was quick.
`);
await page.getByTestId("message-text").filter({ hasText: "Perfect, that was quick." }).waitFor();

// A letter that we begin.
if (size === 390) await page.getByTestId("back").click();
await page.getByTestId("start").click();
await page.getByTestId("start-form").waitFor();
await page.getByTestId("start-to").fill("grace@customer.test");
await page.getByTestId("start-name").fill("Grace Hopper");
await page.getByTestId("start-subject").fill("Your order is delayed");
await page.getByTestId("start-text").fill("We are sorry: it comes on Friday.");
await accessible(page, "new ticket");
await page.getByTestId("start-send").click();
await page.getByTestId("start-form").waitFor({ state: "detached" });
await page.getByTestId("message-text").filter({ hasText: "it comes on Friday" }).waitFor();
const begun = await left("it comes on Friday");
check(header(begun, "To").includes("grace@customer.test"), `it went to ${header(begun, "To")}`);
check(header(begun, "Subject").includes("Your order is delayed"), `its subject is ${header(begun, "Subject")}`);

await finish(browser);

// The pages in a real browser against a real server: sign-in, chat, its trace, every page, every state, both widths, both themes.
// Fails on a serious accessibility violation, a console error, a layout shift, or a request to any other host.
//
//   node tests/web/run.mjs
//
// Environment: VOLAN_PROJECT  project folder for `volan up` (default examples/llm_twin)
//              VOLAN_BIN      the server (default build/volan)
//              VOLAN_URL and VOLAN_API_KEY   use a server that runs already instead of starting one
//              VOLAN_SHOTS    folder for screenshots (none are written without it)
//              CHROMIUM       the browser (default /usr/bin/chromium)
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { axeViolations, launch, watch } from "./browser.mjs";
import { ready, startServer } from "./server.mjs";

const shots = process.env.VOLAN_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const question = process.env.VOLAN_QUESTION ?? "What does a destructor do, and when is it called?";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await launch();
  await ready(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A signed-in page of one width and theme, with everything that must not happen being watched. */
async function open(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: width > 760 ? 800 : 844 }, colorScheme, baseURL: server.url });
  const page = await context.newPage();
  const seen = await watch(page, server.url);
  await page.goto("/sign-in");
  await page.getByLabel("Key", { exact: true }).fill(server.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  return { context, page, seen };
}

async function shoot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Goes to a page, waits until its content is there, and checks it. */
async function inspect(page, seen, path, heading, name) {
  await page.goto(path);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await check(page, seen, name);
}

async function check(page, seen, name) {
  await shoot(page, name);
  assert.deepEqual(await axeViolations(page), [], `accessibility of ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px wider than the screen`);
  const shifts = await seen.shifts();
  assert.ok(shifts.reduce((sum, each) => sum + each.value, 0) < 0.05, `layout shift on ${name}: ${JSON.stringify(shifts)}`);
  assert.deepEqual(seen.problems, [], `problems on ${name}`);
}

for (const [width, theme] of [[1280, "light"], [1280, "dark"], [390, "light"], [390, "dark"]]) {
  describe(`the pages at ${width} px, ${theme}`, () => {
    const tag = `${width}-${theme}`;
    let session;
    before(async () => {
      session = await open(width, theme);
    });
    after(() => session?.context.close());

    it("answer a question with sources and lead to its trace", async () => {
      const { page, seen } = session;
      await page.goto("/chat");
      await page.getByLabel("Your question").waitFor();
      await check(page, seen, `chat-empty-${tag}`);
      await page.getByLabel("Your question").fill(question);
      await page.keyboard.press("Enter");
      const trace = page.getByRole("link", { name: "Trace", exact: true });
      await trace.waitFor({ timeout: 180_000 });
      assert.equal(await page.getByRole("alert").count(), 0, "the answer has no error");
      const sources = page.getByRole("button", { name: /\d+ of \d+ cited|\d+ sources?/ }).first();
      await sources.click();
      await page.getByRole("button", { name: /^Source 1 ./ }).click();
      await page.getByRole("button", { name: /^Source 1 ./, pressed: true }).waitFor();
      await check(page, seen, `chat-${tag}`);
      if (width < 760) await page.keyboard.press("Escape");
      await trace.click();
      await page.getByRole("tree").waitFor();
      assert.ok((await page.getByRole("treeitem").count()) > 2, "the trace has spans");
      await check(page, seen, `trace-${tag}`);
      await page.getByRole("treeitem").filter({ hasText: "llm" }).first().click();
      await page.getByRole("tab", { name: "Conversation" }).waitFor();
      await page.getByText(question).first().waitFor();
      await check(page, seen, `span-${tag}`);
      assert.match(page.url(), /span=/, "the address names the span");
    });

    it("list the trace, filter it away and back, and open it by keyboard", async () => {
      const { page, seen } = session;
      await inspect(page, seen, "/traces", "Traces", `traces-${tag}`);
      await page.getByText(question).first().waitFor();
      await page.getByLabel("Search traces").fill("status:interrupted");
      await page.keyboard.press("Enter");
      await page.getByText("No trace matches").waitFor();
      assert.match(page.url(), /status=interrupted/);
      await page.goBack();
      await page.getByText(question).first().waitFor();
      await page.getByRole("heading", { name: "Traces" }).click();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("tree").waitFor();
      assert.deepEqual(seen.problems, []);
    });

    it("show every other page", async () => {
      const { page, seen } = session;
      await inspect(page, seen, "/", "Overview", `overview-${tag}`);
      await inspect(page, seen, "/features", "Features", `features-${tag}`);
      await page.getByRole("table", { name: "Documents" }).getByRole("link").first().click();
      await page.getByRole("list", { name: /chunk/ }).waitFor();
      await check(page, seen, `document-${tag}`);
      await inspect(page, seen, "/servers", "Servers", `servers-${tag}`);
      await inspect(page, seen, "/settings", "Settings", `settings-${tag}`);
    });

    it("open the palette and the list of keys, and go by letters", async () => {
      const { page, seen } = session;
      await page.goto("/traces");
      await page.getByRole("heading", { name: "Traces", level: 1 }).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByPlaceholder(/Go to a page/).fill("servers");
      await shoot(page, `palette-${tag}`);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Servers", level: 1 }).waitFor();
      await page.getByPlaceholder(/Go to a page/).waitFor({ state: "hidden" });
      await page.keyboard.press("?");
      await page.getByRole("heading", { name: "Keys" }).waitFor();
      await shoot(page, `keys-${tag}`);
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { name: "Keys" }).waitFor({ state: "hidden" });
      await page.keyboard.press("g");
      await page.keyboard.press("t");
      await page.getByRole("heading", { name: "Traces", level: 1 }).waitFor();
      assert.deepEqual(seen.problems, []);
    });
  });
}

describe("the states of a page", () => {
  let session;
  before(async () => {
    session = await open(1280, "light");
  });
  after(() => session?.context.close());
  const answer = (status, code, message, fix) => ({ status, contentType: "application/json", body: JSON.stringify({ error: { code, message, fix, request_id: "req_test" } }) });

  it("say what failed, with code and remedy, and recover by a retry", async () => {
    const { page } = session;
    await page.route("**/api/v1/traces?*", (route) => route.fulfill(answer(503, "unavailable", "The span store is busy.", "Try again in a second.")));
    await page.goto("/traces");
    const alert = page.getByRole("alert");
    await alert.getByText("Could not load the traces").waitFor();
    for (const text of ["unavailable", "Try again in a second.", "req_test"]) assert.ok((await alert.textContent()).includes(text), text);
    await shoot(page, "state-error");
    await page.unroute("**/api/v1/traces?*");
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("table", { name: "Traces" }).waitFor();
  });

  it("say who can grant what is not allowed", async () => {
    const { page } = session;
    await page.route("**/api/v1/keys", (route) => route.fulfill(answer(403, "permission_denied", "This needs the role admin.")));
    await page.goto("/settings");
    await page.getByText("You may not see the keys").waitFor();
    await page.getByText(/An admin of this project can grant it/).waitFor();
    await page.unroute("**/api/v1/keys");
  });

  it("say that a list is empty and what fills it", async () => {
    const { page } = session;
    await page.route("**/api/v1/traces?*", (route) => route.fulfill({ status: 200, contentType: "application/json", body: '{"traces":[]}' }));
    await page.goto("/traces?range=all");
    await page.getByText("No traces yet").waitFor();
    await page.getByRole("link", { name: "Ask the twin something" }).waitFor();
    await page.unroute("**/api/v1/traces?*");
  });

  it("show a skeleton while an answer is on its way", async () => {
    const { page } = session;
    let release;
    const held = new Promise((done) => { release = done; });
    await page.route("**/api/v1/endpoints", async (route) => { await held; await route.continue(); });
    await page.goto("/servers");
    await page.getByRole("status", { name: "Loading" }).first().waitFor();
    release();
    await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" });
    await page.unroute("**/api/v1/endpoints");
  });

  it("say that the server is away, and come back by themselves", async () => {
    const { page } = session;
    await page.goto("/servers");
    await page.getByRole("heading", { name: "Servers", level: 1 }).waitFor();
    for (const path of ["**/api/**", "**/health/**"]) await page.route(path, (route) => route.abort("connectionrefused"));
    const banner = page.getByText("volan does not answer");
    await banner.waitFor();
    await shoot(page, "state-offline");
    for (const path of ["**/api/**", "**/health/**"]) await page.unroute(path);
    await banner.waitFor({ state: "detached" });
  });

  it("send a reader without a session to the sign-in and back", async () => {
    const { page, context } = session;
    await context.clearCookies();
    await page.goto("/traces?status=ok");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Key", { exact: true }).fill("vk_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await shoot(page, "sign-in-refused");
    await page.getByLabel("Key", { exact: true }).fill(server.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Traces", level: 1 }).waitFor();
    assert.match(page.url(), /status=ok/);
  });
});

describe("an answer in the chat", () => {
  const chunk = (value) => `data: ${JSON.stringify(value)}\n\n`;
  let session;
  before(async () => {
    session = await open(1280, "light");
  });
  after(() => session?.context.close());
  const reply = (page, ...chunks) => page.route("**/v1/chat/completions", (route) => route.fulfill({ status: 200, contentType: "text/event-stream", body: chunks.map(chunk).join("") }));
  async function askFor(page) {
    await page.goto("/chat");
    await page.getByLabel("Your question").fill("anything");
    await page.keyboard.press("Enter");
  }

  it("is inert: no element, image or script of the model reaches the page", async () => {
    const { page, seen } = session;
    await reply(page, { choices: [{ delta: { content: 'before <img src=x onerror="window.hit=1"><script>window.hit=1</script> ![p](http://example.com/p.png) [j](javascript:window.hit=1) after' }, finish_reason: "stop" }] });
    await askFor(page);
    await page.getByText("after").waitFor();
    assert.equal(await page.locator("article img, article script, article a[href^=javascript]").count(), 0);
    assert.equal(await page.evaluate(() => window.hit), undefined);
    assert.deepEqual(seen.problems, []);
  });

  it("keeps what came before the stream broke, and offers to ask again", async () => {
    const { page } = session;
    await page.unroute("**/v1/chat/completions");
    await reply(page, { choices: [{ delta: { content: "The first half" } }] }, { error: { message: "The model server left.", type: "server_error", param: null, code: "upstream" } });
    await askFor(page);
    await page.getByText("The first half").waitFor();
    await page.getByRole("alert").getByText("The model server left.").waitFor();
    await page.getByRole("button", { name: "Ask again" }).waitFor();
    await shoot(page, "chat-failed");
  });

  it("can be stopped", async () => {
    const { page } = session;
    await page.unroute("**/v1/chat/completions");
    await page.route("**/v1/chat/completions", () => undefined);
    await askFor(page);
    await page.getByRole("button", { name: "Stop the answer" }).click();
    await page.getByText("Stopped.").waitFor();
    await page.getByRole("button", { name: "Ask", exact: true }).waitFor();
  });
});

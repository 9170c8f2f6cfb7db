// What answers in the server's place is not the server: proxies, firewalls, log-in pages, content blockers.
import { expect, test as base } from "../support/fixtures.ts";
import { Answering } from "../support/answering.ts";
import { Person } from "../support/person.ts";
import { type Server } from "../support/server.ts";
import { isReady } from "../support/worker.ts";

const portOf = (server: Server) => () => Number(new URL(server.direct).port);
const pill = (who: Person, state: string) => who.page.locator(`.pill[data-state="${state}"]`);

const test = base.extend<{ between: Answering }>({
  between: async ({ server }, use) => {
    const proxy = await Answering.start(portOf(server));
    await use(proxy);
    await proxy.dispose();
  },
});

// Cloudflare's 520 and 530, an origin that is down, a firewall, a load balancer with no target.
for (const status of [403, 404, 500, 502, 520, 530]) {
  test(`a proxy that answers ${status}: a known board opens from the device, and the server is said to be out of reach`, async ({ board, browser, between }) => {
    const ada = await Person.at(browser, `${between.url}/b/${board.editKey}`);
    await ada.addList("To do");
    await ada.isSaved();
    await isReady(ada.page);
    between.answerAll({ status });
    await ada.page.reload();
    await expect(ada.list("To do")).toBeVisible();
    await ada.addCards("To do", "Kept");
    await expect(pill(ada, "unreachable")).toContainText(/Can't reach the server\s*· \d kept/, { useInnerText: true, timeout: 20_000 });
    await expect(ada.page.locator(".toast")).toHaveText(["No answer from the server. Changes will sync when it is back."]);
    await expect(ada.page.locator(".strip").filter({ visible: true })).toHaveCount(0);
    between.letThrough();
    await ada.isSaved();
    await expect(ada.page.locator(".toast")).toHaveText(["You're back online!"]);
  });
}

test("from the list of boards, a known board opens from the device whatever a proxy answers", async ({ board, browser, between }) => {
  const ada = await Person.at(browser, `${between.url}/b/${board.editKey}`);
  await ada.addList("To do");
  await ada.isSaved();
  for (const answer of [{ status: 404 }, { status: 502 }, { status: 200 }, { status: 200, html: "null" }, { status: 307, location: "/elsewhere" }]) {
    between.letThrough();
    await ada.page.goto(between.url);
    const known = ada.page.getByRole("link", { name: "Untitled board" });
    await expect(known).toBeVisible();
    between.answerAll(answer);
    await known.click();
    await expect(ada.list("To do"), JSON.stringify(answer)).toBeVisible();
  }
});

test("a board that is made behind a proxy's answers is registered when the server answers, and not before", async ({ browser, between }) => {
  const page = await (await browser.newContext()).newPage();
  const ada = Person.on(page);
  for (const [status, state] of [[404, "unreachable"], [403, "unreachable"], [200, "captive"]] as const) {
    between.letThrough();
    await page.goto(between.url);
    await page.getByRole("button", { name: "New board", exact: true }).click({ trial: true });
    between.answerAll({ status });
    await page.getByRole("button", { name: "New board", exact: true }).click();
    await ada.addList(`Made behind ${status}`);
    await ada.keeps(1, state);
    between.letThrough();
    await ada.isSaved();
    const bo = await Person.at(browser, page.url());
    await expect(bo.list(`Made behind ${status}`)).toBeVisible();
  }
});

for (const answer of [{ status: 511 }, { status: 302, location: "/portal" }, { status: 200 }]) {
  test(`a log-in page, by ${answer.status}: said on the button and in a banner, which leads to it`, async ({ board, browser, between }) => {
    const ada = await Person.at(browser, `${between.url}/b/${board.editKey}`);
    await ada.addList("To do");
    await ada.isSaved();
    await isReady(ada.page);
    between.answerAll({ ...answer, html: "<h1>Welcome aboard. Log in here.</h1>" });
    await ada.page.reload();
    await expect(ada.list("To do"), "a known board opens from the device").toBeVisible();
    await expect(pill(ada, "captive")).toContainText("Log in to this network", { timeout: 20_000 });
    await expect(ada.page.locator(".toast")).toHaveCount(0);
    const banner = ada.page.locator('[data-strip="network"]');
    await expect(banner).toContainText("This network wants you to log in first.");
    const opens = ada.page.context().waitForEvent("page");
    await banner.getByRole("link", { name: "Log in" }).click();
    const portal = await opens;
    await expect(portal.getByRole("heading", { name: "Welcome aboard. Log in here." })).toBeVisible();
    // As a portal lets everything through once the person has logged in.
    between.letThrough();
    await ada.page.bringToFront();
    await ada.isSaved();
    await expect(banner).toHaveCount(0);
  });
}

test("links are not taken for replaced by an answer that is not the server's", async ({ board, browser, between }) => {
  const ada = await Person.at(browser, `${between.url}/b/${board.editKey}`);
  await ada.page.getByRole("button", { name: "Share" }).click();
  await ada.page.getByRole("button", { name: "Replace both links…" }).click();
  for (const status of [200, 404, 520]) {
    between.answerAll({ status });
    await ada.page.getByRole("button", { name: "Replace both links" }).click();
    await expect(ada.page.getByText("The server can't be reached. Try again when it can."), String(status)).toBeVisible();
  }
  between.letThrough();
  await ada.page.getByRole("button", { name: "Replace both links" }).click();
  await expect(ada.page).not.toHaveURL(new RegExp(board.editKey));
  await ada.isSaved();
});

test("a server that takes a request and never answers it: after a while the person is told", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  await context.clock.install();
  const ada = await Person.in(context, board.editUrl);
  await ada.page.getByRole("button", { name: "Share" }).click();
  await ada.page.getByRole("button", { name: "Replace both links…" }).click();
  server.stall();
  const asked = ada.page.waitForRequest("**/api/keys");
  await ada.page.getByRole("button", { name: "Replace both links" }).click();
  await asked;
  await ada.page.clock.fastForward(30_000);
  await expect(ada.page.getByText("The server can't be reached. Try again when it can.")).toBeVisible();
  await expect(ada.page.getByRole("button", { name: "Replace both links" })).toBeEnabled();
});

test("a content blocker that takes the probes does not hide a live connection, and none that comes back", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  await context.route("**/api/ping*", (route) => route.abort("blockedbyclient"));
  const ada = await Person.in(context, board.editUrl);
  await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Kept");
  await ada.keeps(1, "unreachable");
  await server.restart();
  await ada.isSaved();
});

test.describe("behind a proxy that refuses WebSockets", () => {
  test.use({ serverOptions: { blocked: true } });

  test("a content blocker takes the probes: the board works over HTTP all the same", async ({ board, browser }) => {
    const context = await browser.newContext();
    await context.route("**/api/ping*", (route) => route.abort("blockedbyclient"));
    const ada = await Person.in(context, board.editUrl);
    await ada.addList("To do");
    await ada.isSaved();
    await ada.page.locator(".pill-words").click();
    await expect(ada.page.getByText("live over HTTP: something on the way blocks WebSockets")).toBeVisible();
  });
});

test("every answer of the server says that it is the server's", async ({ board, server }) => {
  const paths = ["/", board.editUrl.slice(server.url.length), "/b/nothing", "/nowhere", "/api/ping?nonce=7", "/api/nowhere", "/sw.js", "/shell", "/favicon.svg"];
  for (const path of paths) {
    const response = await fetch(`${server.direct}${path}`);
    expect(response.headers.get("x-sheetbend"), `${path}: ${response.status}`).toBe("1");
  }
  for (const path of ["/api/boards", "/api/keys", "/api/sync"]) {
    const response = await fetch(`${server.direct}${path}`, { method: "POST", body: "not JSON" });
    expect(response.headers.get("x-sheetbend"), `${path}: ${response.status}`).toBe("1");
  }
});

test("a device that was asleep: the page asks its connection whether it is alive", async ({ board, browser }) => {
  const page = await (await browser.newContext()).newPage();
  const sent: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await page.goto(board.editUrl);
  await Person.on(page).isSaved();
  const asked = () => sent.filter((text) => text.includes('"type":"ping"')).length;
  const before = asked();
  await page.evaluate(() => {
    const real = Date.now.bind(Date);
    Date.now = () => real() + 3_600_000;
  });
  await expect.poll(asked).toBeGreaterThan(before);
  await Person.on(page).isSaved();
});

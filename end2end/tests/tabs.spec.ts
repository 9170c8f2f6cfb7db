import { type Browser, chromium, type Page } from "@playwright/test";
import { allowErrors, CRASH, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("two tabs agree while there is no server, and each change arrives once", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  const open = (): Promise<Person> => Person.in(context, board.editUrl);
  const [one, two] = [await open(), await open()];
  await one.addList("To do");
  await expect(two.list("To do")).toBeVisible();

  await server.kill();
  await one.addCards("To do", "From the first");
  await expect(two.cards("To do")).toHaveText(["From the first"]);
  await two.addCards("To do", "From the second");
  await expect(one.cards("To do")).toHaveText(["From the first", "From the second"]);
  // What is changed again while another tab holds it too is not lost.
  await one.card("From the first").getByRole("checkbox", { name: "Done" }).check();
  await expect(two.card("From the first").getByRole("checkbox", { name: "Done" })).toBeChecked();
  await two.card("From the first").getByRole("checkbox", { name: "Done" }).uncheck();
  await expect(one.card("From the first").getByRole("checkbox", { name: "Done" })).not.toBeChecked();
  await one.page.close();

  await server.restart();
  await two.isSaved();
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["From the first", "From the second"]);
  await expect(fresh.card("From the first").getByRole("checkbox")).not.toBeChecked();
});

/** Two tabs of one browser; the first has the lock, since it asked first. */
async function twoTabs(browser: Browser, url: string): Promise<[Person, Person]> {
  const context = await browser.newContext();
  const open = (): Promise<Person> => Person.in(context, url);
  const one = await open();
  await one.addList("To do");
  await one.isSaved();
  await expect.poll(() => held(one.page)).toBe(1);
  const two = await open();
  await expect(two.list("To do")).toBeVisible();
  return [one, two];
}

/** How many tabs hold the lock that the sender of changes holds, as the browser says. */
async function held(page: Page): Promise<number> {
  return await page.evaluate(async () => (await navigator.locks.query()).held?.filter((lock) => /^sheetbend\/[0-9a-f-]{36}$/.test(lock.name ?? "")).length ?? 0);
}

test("one tab sends what all of them make", async ({ board, browser }) => {
  const [one, two] = await twoTabs(browser, board.editUrl);
  const sent: string[] = [];
  for (const [name, tab] of [["one", one], ["two", two]] as const) {
    const look = (said: unknown) => String(said).includes('"type":"changes"') && sent.push(name);
    tab.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => look(payload)));
    tab.page.on("request", (request) => request.method() === "POST" && look(request.postData()));
    await tab.page.reload();
    await tab.isSaved();
  }
  await one.addCards("To do", "From one");
  await two.addCards("To do", "From two");
  await expect(one.cards("To do")).toHaveText(["From one", "From two"]);
  await one.isSaved();
  await two.isSaved();
  expect(new Set(sent).size).toBe(1);
  expect(await held(one.page)).toBe(1);
});

test("the tab that sends crashes, with changes that nobody else has heard of: another sends them", async ({ board, browser, server }) => {
  const [one, two] = await twoTabs(browser, board.editUrl);
  await server.kill();
  await one.addCards("To do", "From the one that crashes");
  await two.addCards("To do", "From the other");
  const session = await one.page.context().newCDPSession(one.page);
  // It does not live to answer.
  allowErrors(CRASH);
  void session.send("Page.crash").catch(() => {});
  await one.page.waitForEvent("crash");
  await server.restart();
  await two.isSaved();
  await expect(two.cards("To do")).toHaveText(["From the one that crashes", "From the other"]);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["From the one that crashes", "From the other"]);
});

test("powersync-js 498, dxos 11757: the tab that holds the lock sleeps, and another takes over", async ({ board, browser }) => {
  const [one, two] = await twoTabs(browser, board.editUrl);
  const session = await one.page.context().newCDPSession(one.page);
  await session.send("Page.enable");
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await two.addCards("To do", "While the other sleeps");
  await two.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["While the other sleeps"]);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await one.addCards("To do", "Awake again");
  await one.isSaved();
  await expect(bo.cards("To do")).toHaveText(["While the other sleeps", "Awake again"]);
});

test("the tab that holds the lock is awake and gets nowhere: another takes the lock within seconds", async ({ board, browser }) => {
  const [one, two] = await twoTabs(browser, board.editUrl);
  // Its line is open and silent: what it sends is held back.
  await one.page.context().newCDPSession(one.page);
  await one.page.evaluate(() => {
    WebSocket.prototype.send = () => {};
  });
  await two.addCards("To do", "Not to wait for it");
  await two.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Not to wait for it"]);
});

test("mdn content 3688: a duplicated tab is another tab, and both write", async ({ board, browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(board.editUrl);
  const one = Person.on(page);
  await one.addList("To do");
  await one.isSaved();
  // As "Duplicate tab" does: with a copy of the session storage.
  const [copy] = await Promise.all([context.waitForEvent("page"), page.evaluate(() => void window.open(location.href, "_blank", ""))]);
  const two = Person.on(copy);
  await two.isSaved();
  await Promise.all([one.addCards("To do", "a1", "a2", "a3"), two.addCards("To do", "b1", "b2", "b3")]);
  await one.isSaved();
  await two.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  const titles = (await bo.cards("To do").allTextContents()).sort();
  expect(titles).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
  await expect(one.cards("To do")).toHaveCount(6);
  await expect(two.cards("To do")).toHaveCount(6);
});

test("plain http has no locks: every tab sends, and each change arrives once", async ({ board, server }) => {
  const { launchOptions } = test.info().project.use;
  const args = [...(launchOptions?.args ?? []), "--host-resolver-rules=MAP board.test 127.0.0.1"];
  const browser = await chromium.launch({ ...launchOptions, args });
  const url = board.editUrl.replace("127.0.0.1", "board.test");
  const context = await browser.newContext();
  const open = (): Promise<Person> => Person.in(context, url);
  const [one, two] = [await open(), await open()];
  expect(await one.page.evaluate(() => "locks" in navigator)).toBe(false);
  await one.addList("To do");
  await expect(two.list("To do")).toBeVisible();
  await server.kill();
  await one.addCards("To do", "From the first");
  await expect(two.cards("To do")).toHaveText(["From the first"]);
  await two.addCards("To do", "From the second");
  await server.restart();
  await one.isSaved();
  await two.isSaved();
  const bo = await Person.at(browser, url);
  await expect(bo.cards("To do")).toHaveText(["From the first", "From the second"]);
  await browser.close();
});

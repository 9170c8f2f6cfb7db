import { Person } from "../support/person.ts";
import { createBoard, expect, test } from "../support/fixtures.ts";
import { watch, watched } from "../support/watch.ts";

test.use({ serverOptions: { blocked: true } });

const carriedBy = (person: Person) => person.page.locator("dl.facts dd").filter({ hasText: /^live/ });

test("a network that blocks WebSockets: the board works over HTTP, and the panel says so", async ({ server, browser }) => {
  const board = await createBoard(server.url);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "By request");
  await ada.isSaved();
  await expect(bo.cards("To do")).toHaveText(["By request"]);
  await bo.addCards("To do", "And back");
  await expect(ada.cards("To do")).toHaveText(["By request", "And back"]);
  expect(server.proxy!.refused).toBeGreaterThanOrEqual(2);

  await ada.page.locator(".pill-words").click();
  await expect(carriedBy(ada)).toHaveText("live over HTTP: something on the way blocks WebSockets");
});

test("a server that is killed, over HTTP: nothing is lost, and it comes back", async ({ server, browser }) => {
  const board = await createBoard(server.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Kept", "Kept too");
  await ada.keeps(2, "unreachable");
  await server.restart();
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Kept", "Kept too"]);
});

test("when WebSockets get through again, the line is one, and nothing is to be seen of the change", async ({ server, browser }) => {
  const board = await createBoard(server.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await ada.page.locator(".pill-words").click();
  await expect(carriedBy(ada)).toContainText("over HTTP");
  server.proxy!.open = true;
  await watch(ada.page);
  // The device says that it is in another network: worth a try at once, and not in a minute.
  await ada.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await expect(carriedBy(ada)).toHaveText("live");
  const { states, said } = await watched(ada.page);
  expect(states.map(({ state }) => state)).toEqual(["saved"]);
  expect(said).toEqual([]);
  await ada.page.keyboard.press("Escape");
  await ada.addCards("To do", "Over a WebSocket");
  await ada.isSaved();
});

/** How many requests of a browser may wait: half of its six connections. */
const SLOTS = 3;

test("seven tabs of one browser, over HTTP: each saves at once, and few requests wait", async ({ server, browser }) => {
  test.slow();
  const board = await createBoard(server.url);
  const context = await browser.newContext();
  const tabs: Person[] = [];
  for (let n = 1; n <= 7; n += 1) tabs.push(await Person.in(context, board.editUrl));
  await tabs[0]!.addList("To do");
  for (const [n, tab] of tabs.entries()) {
    await expect(tab.list("To do")).toBeVisible();
    const before = server.proxy!.expired;
    await tab.addCards("To do", `Card ${n}`);
    await tab.isSaved();
    // It has waited for no other request to run out.
    expect(server.proxy!.expired - before, `tab ${n}`).toBeLessThanOrEqual(1);
  }
  const all = tabs.map((_, n) => `Card ${n}`);
  for (const tab of tabs) await expect(tab.cards("To do")).toHaveText(all);
  expect(server.proxy!.mostWaiting).toBeLessThanOrEqual(SLOTS);
  expect(server.proxy!.mostWaiting).toBeGreaterThan(0);
});

test("seven boards in seven tabs of one browser, over HTTP: each saves at once", async ({ server, browser }) => {
  test.slow();
  const context = await browser.newContext();
  const tabs: Person[] = [];
  for (let n = 1; n <= 7; n += 1) tabs.push(await Person.in(context, (await createBoard(server.url)).editUrl));
  for (const tab of tabs) {
    await tab.addList("To do");
    await tab.isSaved();
  }
  expect(server.proxy!.mostWaiting).toBeLessThanOrEqual(SLOTS);
});

test("a hidden tab over HTTP keeps no request waiting, and saves what is made in it", async ({ server, browser }) => {
  const board = await createBoard(server.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await expect.poll(() => server.proxy!.waiting).toBe(1);
  const turn = (hidden: boolean) =>
    ada.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await turn(true);
  await expect.poll(() => server.proxy!.waiting).toBe(0);
  await ada.addCards("To do", "Made unseen");
  await ada.isSaved();
  expect(server.proxy!.waiting).toBe(0);

  const bo = await Person.at(browser, board.editUrl);
  await bo.addCards("To do", "Made meanwhile");
  await bo.isSaved();
  await turn(false);
  await expect(ada.cards("To do")).toHaveText(["Made unseen", "Made meanwhile"]);
});

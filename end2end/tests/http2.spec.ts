import config from "../playwright.config.ts";
import { newBoard } from "../support/board.ts";
import { allowErrors, expect, NETWORK, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

const launchOptions = config.use!.launchOptions!;

test.use({
  serverOptions: { encrypts: true, blocked: false },
  ignoreHTTPSErrors: true,
  // The service worker's script is fetched without what a context ignores.
  launchOptions: { ...launchOptions, args: [...launchOptions.args!, "--ignore-certificate-errors"] },
});

/** The protocols by which the page got what it asked for at paths that begin so. */
const protocols = (person: Person, path: string) =>
  person.page.evaluate((path) => {
    const entries = performance.getEntries() as PerformanceResourceTiming[];
    const found = entries.filter(({ name, entryType }) => entryType !== "mark" && name.startsWith(location.origin + path));
    return [...new Set(found.map(({ nextHopProtocol }) => nextHopProtocol))].filter((protocol) => protocol !== "");
  }, path);

const carriedBy = (person: Person) => person.page.locator("dl.facts dd").filter({ hasText: /^live/ });

test("over TLS, pages come by HTTP/2 and the line is a WebSocket", async ({ server, browser }) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const board = newBoard(server.url);
  const made = await context.request.post(`${server.url}/api/boards`, { data: { id: board.id, edit_key: board.editKey } });
  expect(made.status()).toBe(201);
  const ada = await Person.in(context, board.editUrl);
  expect(await protocols(ada, "/b/")).toEqual(["h2"]);
  await ada.addList("To do");
  await ada.isSaved();
  await ada.page.locator(".pill-words").click();
  await expect(carriedBy(ada)).toHaveText("live");
  await ada.page.keyboard.press("Escape");
  // Another line, after the first connection is known to speak HTTP/2.
  await server.restart();
  await ada.addCards("To do", "After a restart");
  await ada.isSaved();
  await ada.page.locator(".pill-words").click();
  await expect(carriedBy(ada)).toHaveText("live");
});

test("over TLS, seven tabs whose WebSockets are blocked work by HTTP/2", async ({ server, browser }) => {
  test.slow();
  allowErrors(NETWORK);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await context.addInitScript(() => {
    // As behind a proxy that refuses upgrades: at this address there is none.
    const Real = WebSocket;
    window.WebSocket = class extends Real {
      constructor(_url: string | URL, protocols?: string | string[]) {
        super(`wss://${location.host}/nothing`, protocols);
      }
    };
  });
  const board = newBoard(server.url);
  await context.request.post(`${server.url}/api/boards`, { data: { id: board.id, edit_key: board.editKey } });
  const tabs: Person[] = [];
  for (let n = 1; n <= 7; n += 1) tabs.push(await Person.in(context, board.editUrl));
  await tabs[0]!.addList("To do");
  for (const [n, tab] of tabs.entries()) {
    await expect(tab.list("To do")).toBeVisible();
    await tab.addCards("To do", `Card ${n}`);
    await tab.isSaved();
  }
  for (const tab of tabs) await expect(tab.cards("To do")).toHaveText(tabs.map((_, n) => `Card ${n}`));
  expect(await protocols(tabs[6]!, "/api/sync")).toEqual(["h2"]);
});

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

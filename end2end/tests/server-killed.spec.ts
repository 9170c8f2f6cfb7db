import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("the server is killed under two people who type: nothing is lost or doubled, and both go on by themselves", async ({
  board,
  browser,
  server,
}) => {
  test.setTimeout(120_000);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("Ada's");
  await ada.addList("Bo's");
  await expect(bo.list("Bo's")).toBeVisible();

  const titles = (name: string) => Array.from({ length: 30 }, (_, n) => `${name} ${n + 1}`);
  const typing = Promise.all([ada.addCards("Ada's", ...titles("a")), bo.addCards("Bo's", ...titles("b"))]);
  for (let round = 0; round < 3; round += 1) {
    const reached = String(5 + round * 8);
    await expect(ada.cards("Ada's").filter({ hasText: new RegExp(`^a ${reached}$`) })).toBeVisible();
    await server.restart();
  }
  await typing;

  for (const person of [ada, bo]) {
    await person.isSaved();
    await expect(person.cards("Ada's")).toHaveText(titles("a"));
    await expect(person.cards("Bo's")).toHaveText(titles("b"));
  }
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("Ada's")).toHaveText(titles("a"));
  await expect(fresh.cards("Bo's")).toHaveText(titles("b"));
});

test("what was shown as saved is there after a kill, and what was not is kept on the device and sent", async ({
  board,
  browser,
  page,
  server,
}) => {
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.addCards("To do", "Saved");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Kept here");
  await expect(page.locator(".pill-count")).toBeVisible();
  await expect(page.getByRole("button", { name: "Retry now" })).toBeVisible();

  await server.restart();
  await page.getByRole("button", { name: "Retry now" }).click({ timeout: 5_000 }).catch(() => {
    // It came back by itself first.
  });
  await ada.isSaved();
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["Saved", "Kept here"]);
});

test("an edit outlives the page: made while the server is away, reloaded, it is sent when the server is back", async ({
  board,
  browser,
  server,
}) => {
  const context = await browser.newContext();
  const first = await context.newPage();
  await first.goto(board.editUrl);
  const ada = Person.on(first);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Written in the dark");
  await first.close();

  await server.restart();
  const second = await context.newPage();
  await second.goto(board.editUrl);
  const again = Person.on(second);
  await again.isSaved();
  await expect(again.cards("To do")).toHaveText(["Written in the dark"]);
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["Written in the dark"]);
});

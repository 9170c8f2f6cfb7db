import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("offline, edits are kept here and said to be; online again, they are saved by themselves", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await expect(bo.list("To do")).toBeVisible();

  await ada.page.context().setOffline(true);
  await ada.addCards("To do", "One", "Two");
  await ada.keeps(2, "offline");
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);

  await ada.page.context().setOffline(false);
  await ada.isSaved();
  await expect(bo.cards("To do")).toHaveText(["One", "Two"]);
});

test("when the server is away, the page says so and not that the device is offline", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "One");
  await ada.keeps(1, "unreachable");
  await server.restart();
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["One"]);
});

test("an edit in the moment after the line was lost takes “Saved” back at once", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  // For two seconds a lost line is not spoken of, and all is saved still.
  await ada.addCards("To do", "One");
  await expect(ada.page.locator('.pill[data-state="saved"]')).toHaveCount(0, { timeout: 1 });
  await server.restart();
  await ada.isSaved();
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["One"]);
});

test("the server is put back to an older copy: what it lost comes back from those who made it", async ({
  board,
  browser,
  server,
}) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Before the backup");
  await ada.isSaved();
  const copy = await server.copy();
  await ada.isSaved();
  await ada.addCards("To do", "After the backup");
  await ada.isSaved();
  await server.putBack(copy);

  await expect(ada.page.getByText("The server was restored from an older copy.").first()).toBeAttached({ timeout: 30_000 });
  await ada.isSaved();
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["Before the backup", "After the backup"]);
});

test("the line breaks when the page is there and its program is not: it can be read, and comes alive when the server is back", async ({
  board,
  browser,
  server,
}) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Readable");
  await ada.isSaved();
  const page = await (await browser.newContext()).newPage();
  let asked = 0;
  await page.route("**/*.wasm", async (route) => {
    asked += 1;
    if (asked === 1) await server.kill();
    await route.continue();
  });
  await page.goto(board.editUrl);
  const bo = Person.on(page);
  await expect.poll(() => asked).toBeGreaterThan(1);
  await expect(bo.cards("To do")).toHaveText(["Readable"]);
  await expect(page.locator('.pill[data-state="quiet"]')).toBeAttached();
  await server.restart();
  await bo.isSaved();
});

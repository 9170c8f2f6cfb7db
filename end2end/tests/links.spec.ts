import type { Browser, BrowserContext } from "@playwright/test";
import { holdDatabase } from "../support/device.ts";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** Makes a list, replaces both links, and closes the page when the server has done it and the answer has not come. Returns the browser. */
async function leaveUnanswered(browser: Browser, url: string): Promise<BrowserContext> {
  const context = await browser.newContext();
  const ada = await Person.in(context, url);
  await ada.addList("To do");
  await ada.isSaved();
  let answered = () => {};
  const reached = new Promise<void>((resolve) => (answered = resolve));
  await ada.page.route("**/api/keys", async (route) => {
    await route.fetch();
    answered();
    await new Promise(() => {});
  });
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this board" });
  await dialog.getByRole("button", { name: "Replace both links…" }).click();
  await dialog.getByRole("button", { name: "Replace both links", exact: true }).click();
  await reached;
  await ada.page.close();
  return context;
}

test("both links are replaced: the old ones stop at once, and the work goes on by the new one", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Before");
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);

  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this board" });
  await dialog.getByRole("button", { name: "Replace both links…" }).click();
  await dialog.getByRole("button", { name: "Replace both links", exact: true }).click();
  await expect(ada.page).not.toHaveURL(board.editUrl);
  await expect(dialog.getByLabel("Who has this link can edit"), "the new one, to be given out").toHaveValue(ada.page.url().replace("#share", ""));
  await ada.page.keyboard.press("Escape");
  await ada.isSaved();
  await ada.addCards("To do", "After");
  await ada.isSaved();

  await expect(bo.page.locator('.strip[data-strip="ended"]')).toContainText("The links of this board were replaced.");
  await bo.page.reload();
  await expect(bo.page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
  const cy = await Person.at(browser, ada.page.url());
  await expect(cy.cards("To do")).toHaveText(["Before", "After"]);
});

test("another window of the same browser goes on by the new link, and is not interrupted by a dialog", async ({ board, browser }) => {
  const context = await browser.newContext();
  const ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  const bo = await Person.in(context, board.editUrl);
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = (who: Person) => who.page.getByRole("dialog", { name: "Share this board" });
  await dialog(ada).getByRole("button", { name: "Replace both links…" }).click();
  await dialog(ada).getByRole("button", { name: "Replace both links", exact: true }).click();
  await expect(bo.page).not.toHaveURL(board.editUrl);
  await bo.isSaved();
  await expect(dialog(ada)).toBeVisible();
  await expect(dialog(bo)).toBeHidden();
  await bo.addCards("To do", "Goes on");
  await expect(ada.cards("To do")).toHaveText(["Goes on"]);
});

test("links of a board that the server does not know yet are said not to work yet", async ({ browser, server }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await page.getByRole("button", { name: "New board", exact: true }).click({ trial: true });
  await server.kill();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  await page.getByRole("button", { name: "Share" }).click();
  const hint = page.getByText("The links work once this board has reached the server.");
  await expect(hint).toBeVisible();
  await server.restart();
  await expect(hint).toBeHidden({ timeout: 30_000 });
});

test("both links are replaced while somebody works: what is kept of theirs is in reach, also after a reload", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await bo.list("To do").getByRole("button", { name: "Add card" }).click();
  await bo.page.getByLabel("New card").pressSequentially("In vain");
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this board" });
  await dialog.getByRole("button", { name: "Replace both links…" }).click();
  await dialog.getByRole("button", { name: "Replace both links", exact: true }).click();
  const ended = bo.page.locator('.strip[data-strip="ended"]');
  await expect(ended).toContainText("The links of this board were replaced.");
  await bo.page.getByLabel("New card").press("Enter");
  for (const reloaded of [false, true]) {
    if (reloaded) await bo.page.reload();
    await expect(ended).toContainText("1 change is kept on this device");
    await expect(ended.getByRole("button", { name: "Export" })).toBeVisible();
    await expect(bo.cards("To do")).toHaveText(["In vain"]);
  }
});

test("the answer to the replacement is lost: the new link is not", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  let asked = 0;
  await ada.page.route("**/api/keys", async (route) => {
    asked += 1;
    if (asked > 1) return await route.continue();
    // It reaches the server, and the answer does not come.
    await route.fetch();
    await route.abort();
  });
  await ada.page.getByRole("button", { name: "Share" }).click();
  const dialog = ada.page.getByRole("dialog", { name: "Share this board" });
  await dialog.getByRole("button", { name: "Replace both links…" }).click();
  await dialog.getByRole("button", { name: "Replace both links", exact: true }).click();
  await expect(ada.page).not.toHaveURL(board.editUrl);
  await ada.isSaved();
  expect(asked).toBeGreaterThan(1);
  await expect(ada.list("To do")).toBeVisible();
});

test("the device takes its time: who closed the page before the answer still gets to the new link", async ({ board, browser }) => {
  const context = await leaveUnanswered(browser, board.editUrl);

  const other = await context.newPage();
  await other.goto(new URL("/api/ping", board.editUrl).href);
  // The list at hand is lost, as in a crash; what is kept for good takes long to open.
  await other.evaluate(() => localStorage.clear());
  const release = await holdDatabase(other);
  const again = Person.on(await context.newPage());
  await again.page.clock.install();
  await again.page.goto(board.editUrl);
  await expect(again.page.getByRole("status").filter({ hasText: "Still looking whether this device has it…" })).toBeVisible();
  await again.page.clock.fastForward(60_000);
  await release();
  await again.isSaved();
  await expect(again.page).not.toHaveURL(board.editUrl);
  await expect(again.list("To do")).toBeVisible();
});

test("the page is closed before the answer to the replacement comes: the old link leads to the new one, here and nowhere else", async ({ board, browser }) => {
  const context = await leaveUnanswered(browser, board.editUrl);

  const again = Person.on(await context.newPage());
  await again.page.goto(board.editUrl);
  await again.isSaved();
  await expect(again.page).not.toHaveURL(board.editUrl);
  await expect(again.list("To do")).toBeVisible();
  const other = await (await browser.newContext()).newPage();
  await other.goto(board.editUrl);
  await expect(other.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
});

// Back and Forward between Home and boards, with anything open, as fast as a person can press: the page lives on. Uncaught errors fail
// each of these tests by the fixtures.
import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** From Home to a new board with one card, by the page's own navigation. */
async function fromHome(page: Page, url: string): Promise<Person> {
  await page.goto(url);
  await page.getByRole("button", { name: "New board", exact: true }).click();
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.isSaved();
  return ada;
}

async function homeWorks(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { name: "Sheetbend" })).toBeVisible();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  await Person.on(page).isSaved();
  await expect(page.locator(".notice")).toHaveCount(0);
}

const open: Record<string, (ada: Person) => Promise<void>> = {
  "nothing": async () => {},
  "a card whose notes are edited": async (ada) => {
    const details = await ada.open("One");
    await details.getByLabel("Notes").pressSequentially("Half a sentence");
  },
  "a card whose title is edited": async (ada) => {
    const details = await ada.open("One");
    await details.getByLabel("Title").pressSequentially(" more");
  },
  "a card whose due date is edited": async (ada) => {
    const details = await ada.open("One");
    await details.getByLabel("Due").fill("2026-12-24");
  },
  "a card's new label": async (ada) => {
    const details = await ada.open("One");
    await details.getByLabel("Add a label").pressSequentially("so");
  },
  "the dialog of links": async (ada) => ada.page.getByRole("button", { name: "Share" }).click(),
  "the status panel": async (ada) => ada.page.locator(".pill-words").click(),
  "the board's menu": async (ada) => ada.page.locator("summary[aria-label='Board menu']").click(),
  "the form of a new card": async (ada) => {
    await ada.page.getByRole("button", { name: "Add card" }).click();
    await ada.page.getByLabel("New card").pressSequentially("Half a title");
  },
  "the form of a new list": async (ada) => {
    await ada.page.getByRole("button", { name: "Add list" }).click();
    await ada.page.getByLabel("New list").pressSequentially("Half a title");
  },
  "the board's title as a field": async (ada) => {
    await ada.page.locator(".board-title .in-place").click();
    await ada.page.getByLabel("Board title").pressSequentially("Half a title");
  },
};

for (const [name, make] of Object.entries(open)) {
  test(`Back with ${name} open leads to a Home that works, and Forward to the board`, async ({ page, server }) => {
    const ada = await fromHome(page, server.url);
    const board = page.url();
    await make(ada);
    await page.evaluate(() => history.back());
    await expect(page.getByRole("heading", { name: "Sheetbend" })).toBeVisible();
    await page.evaluate(() => history.forward());
    await expect(page).toHaveURL(board);
    await ada.isSaved();
    // A draft opens its card again.
    await expect(async () => {
      const close = page.getByRole("dialog", { name: "Card" }).getByRole("button", { name: "Close" });
      if (await close.isVisible()) await close.click();
      const field = page.getByLabel("New card");
      if (!(await field.isVisible())) await page.getByRole("button", { name: "Add card" }).click({ timeout: 2_000 });
    }).toPass();
    await ada.addCards("To do", "Two");
    await expect(ada.cards("To do").last()).toHaveText("Two");
    await page.evaluate(() => history.back());
    await homeWorks(page);
  });
}

test("Back and Forward, pressed faster than anything loads, end where they should", async ({ page, server }) => {
  const ada = await fromHome(page, server.url);
  const board = page.url();
  for (let press = 0; press < 20; press += 1) {
    await page.evaluate((back) => (back ? history.back() : history.forward()), press % 2 === 0);
    if (press % 3 === 0) await expect(page.locator("main")).toBeVisible();
  }
  await expect(page).toHaveURL(board);
  await ada.isSaved();
  await ada.addCards("To do", "Two");
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);
  await page.evaluate(() => history.back());
  await homeWorks(page);
});

test("from board to board by way of Home, again and again: each shows its own cards", async ({ page, server }) => {
  await fromHome(page, server.url);
  const first = page.url();
  await page.getByRole("link", { name: "All boards" }).click();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("Other");
  await ada.isSaved();
  for (let round = 0; round < 4; round += 1) {
    await page.getByRole("link", { name: "All boards" }).click();
    await page.locator(`a[href="${new URL(first).pathname}"]`).click();
    await expect(ada.cards("To do")).toHaveText(["One"]);
    await page.goBack();
    await page.goBack();
    await expect(ada.list("Other")).toBeVisible();
  }
});

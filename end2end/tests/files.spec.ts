import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";
import { trelloBoard } from "../support/trello.ts";

/** Chooses a file on the page of boards. */
async function choose(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByLabel("New board from a file").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
}

/** Makes the board that is shown, and waits for its page. */
async function makeTheBoard(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Make the board" }).click();
  await page.waitForURL(/\/b\/.{22}$/);
}

/** A file that failed once. */
const example = (name: string) => readFile(`../tests/data/import/${name}`);

test("a Trello board of 1,000 cards is imported, and a second browser has it all", async ({ browser, page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await page.getByLabel("New board from a file").setInputFiles({
    name: "trello.json",
    mimeType: "application/json",
    buffer: Buffer.from(trelloBoard(12, 1_000)),
  });
  const ada = Person.on(page);
  await expect(page.locator(".preview")).toContainText("Read as a board exported from Trello: 12 lists and 1000 cards");
  await makeTheBoard(page);
  await ada.isSaved();
  const count = (person: Person) => person.page.locator(".card").count();
  const mine = await count(ada);
  expect(mine).toBeGreaterThan(900); // some of the 1,000 are archived

  const bo = await Person.at(browser, page.url());
  expect(await count(bo)).toBe(mine);

  await ada.addCards((await page.locator(".list-title").first().textContent()) ?? "", "Still quick");
  await expect(bo.card("Still quick")).toBeVisible();
});

test("a Markdown checklist is imported", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await page.getByLabel("New board from a file").setInputFiles({
    name: "party.md",
    mimeType: "text/markdown",
    buffer: Buffer.from("# Party\n\n## To do\n- [ ] Book the hall\n- [x] Call the band\n\n## Later\n- Say thanks\n"),
  });
  const ada = Person.on(page);
  await makeTheBoard(page);
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["Book the hall", "Call the band"]);
  await expect(ada.card("Call the band").getByRole("checkbox")).toBeChecked();
  await expect(ada.cards("Later")).toHaveText(["Say thanks"]);
  await expect(page.getByRole("heading", { name: "Party" })).toBeVisible();
});

test("lines of plain text are shown before they are cards, and nothing is made of a file that is not wanted", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await choose(page, "paste-40-lines.txt", await example("paste-40-lines.txt"));
  const preview = page.locator(".preview");
  await expect(preview).toContainText("Read as plain text, one card for each line: 1 list and 40 cards.");
  await expect(preview.getByText("Item number 1 of the list that came by e-mail")).toBeVisible();
  await expect(preview.getByText("and 35 more")).toBeVisible();
  await expect(page.getByRole("button", { name: "Make the board" })).toBeFocused();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(preview).toBeHidden();
  await expect(page).toHaveURL(`${sharedServer.url}/`);

  await choose(page, "paste-40-lines.txt", await example("paste-40-lines.txt"));
  await makeTheBoard(page);
  const ada = Person.on(page);
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveCount(40);
});

test("files in UTF-16 and Windows-1252 are read, and others refused with the reason", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  const preview = page.locator(".preview");
  await choose(page, "utf16.md", await example("utf16.md"));
  await expect(preview.getByText("Brötchen")).toBeVisible();
  await choose(page, "windows-1252.md", await example("windows-1252.md"));
  await expect(preview.getByText("Käse – 2 Stück")).toBeVisible();
  await expect(preview).toContainText("Windows-1252");
  await choose(page, "greek.md", Buffer.from([0x2d, 0x20, 0xc3, 0xfc, 0xeb, 0xe1]));
  await expect(page.locator(".problem")).toContainText("Save it again as UTF-8");
  await expect(preview).toBeHidden();
  await choose(page, "utf16.json", await example("utf16.json"));
  await expect(preview).toContainText("Grüße");
  await expect(page.locator(".problem")).toBeHidden();
});

test("a board of WeKan is imported with what belongs to its cards", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await choose(page, "wekan-export.json", await example("wekan-export.json"));
  await expect(page.locator(".preview")).toContainText("3 lists (1 archived) and 4 cards (1 archived)");
  await makeTheBoard(page);
  const ada = Person.on(page);
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["Buy rope", "Ask the band"]);
  await ada.card("Buy rope").getByRole("button", { name: "Buy rope", exact: true }).click();
  await expect(page.getByLabel("Notes")).toHaveValue(/Ada: In blue, please\./);
});

test.describe("in Los Angeles", () => {
  test.use({ timezoneId: "America/Los_Angeles" });

  test("a due time in the evening is on that day", async ({ page, sharedServer }) => {
    await page.goto(sharedServer.url);
    await choose(page, "trello-evening-due.json", await example("trello-evening-due.json"));
    await makeTheBoard(page);
    const ada = Person.on(page);
    await ada.isSaved();
    await expect(ada.card("Due 24 Nov 18:00 in Los Angeles")).toContainText("24 Nov");
  });
});

test("what was left out of an import is on the board", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await choose(page, "plan.md", Buffer.from("# Plan\n\nWords of no card.\n\n- [ ] Go\n"));
  await makeTheBoard(page);
  const ada = Person.on(page);
  await ada.isSaved();
  await page.reload();
  await ada.card("Not imported").getByRole("button", { name: "Not imported", exact: true }).click();
  await expect(page.getByLabel("Notes")).toHaveValue(/Words of no card\./);
});

test("a file that is no board gets a sentence that says why", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await page.getByLabel("New board from a file").setInputFiles({
    name: "cats.json",
    mimeType: "application/json",
    buffer: Buffer.from('{"cats": 3}'),
  });
  await expect(page.locator(".problem")).toContainText("Trello");
  await expect(page).toHaveURL(`${sharedServer.url}/`);
});

test("a board is exported, and a new one made from the file", async ({ browser, board, page, server }) => {
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two");

  await page.getByLabel("Board menu").click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export as JSON" }).click(),
  ]);
  const text = await readFile(await download.path(), "utf8");
  expect(JSON.parse(text).format).toBe("sheetbend.board.v1");

  const context = await browser.newContext();
  const other = Person.on(await context.newPage());
  await other.page.goto(server.url);
  await other.page.getByLabel("New board from a file").setInputFiles({
    name: download.suggestedFilename(),
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
  await makeTheBoard(other.page);
  await other.isSaved();
  await expect(other.cards("To do")).toHaveText(["One", "Two"]);
  expect(other.page.url()).not.toBe(board.editUrl);
});

test("boards that were opened are listed, the last one first", async ({ page, sharedServer }) => {
  const make = async (title: string) => {
    await page.goto(sharedServer.url);
    await page.getByRole("button", { name: "New board", exact: true }).click();
    await Person.on(page).isSaved();
    await page.getByRole("button", { name: "Untitled board" }).click();
    await page.getByLabel("Board title").fill(title);
    await page.getByLabel("Board title").press("Enter");
    await expect(page.getByRole("heading", { name: title })).toBeVisible();
  };
  await make("Garden");
  await make("Kitchen");
  await page.getByRole("link", { name: "All boards" }).click();
  await expect(page.locator(".recent-title")).toHaveText(["Kitchen", "Garden"]);
  await page.getByRole("link", { name: "Garden" }).click();
  await expect(page.getByRole("heading", { name: "Garden" })).toBeVisible();
  await Person.on(page).isSaved();

  await page.getByRole("link", { name: "All boards" }).click();
  await page.getByRole("button", { name: "Take Kitchen off this list" }).click();
  await expect(page.locator(".recent-title")).toHaveText(["Garden"]);
});

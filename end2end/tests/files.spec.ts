import { readFile } from "node:fs/promises";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";
import { trelloBoard } from "../support/trello.ts";

test("a Trello board of 1,000 cards is imported, and a second browser has it all", async ({ browser, page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await page.getByLabel("New board from a file").setInputFiles({
    name: "trello.json",
    mimeType: "application/json",
    buffer: Buffer.from(trelloBoard(12, 1_000)),
  });
  const ada = Person.on(page);
  await page.waitForURL(/\/b\/.{22}$/);
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
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["Book the hall", "Call the band"]);
  await expect(ada.card("Call the band").getByRole("checkbox")).toBeChecked();
  await expect(ada.cards("Later")).toHaveText(["Say thanks"]);
  await expect(page.getByRole("heading", { name: "Party" })).toBeVisible();
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

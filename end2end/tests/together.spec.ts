import { expect, test } from "../support/fixtures.ts";
import { createBoard } from "../support/board.ts";
import { Person } from "../support/person.ts";

test("two people plan on one board and see each other's edits", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);

  await ada.addList("To do");
  await ada.addCards("To do", "Book the hall", "Call the band", "Print the posters");
  await expect(bo.cards("To do")).toHaveText(["Book the hall", "Call the band", "Print the posters"]);

  await bo.card("Call the band").getByRole("checkbox", { name: "Done" }).check();
  await expect(ada.card("Call the band")).toHaveClass(/\bdone\b/);

  const details = await bo.open("Book the hall");
  await details.getByLabel("Title").fill("Book the town hall");
  await details.getByLabel("Title").press("Enter");
  await details.getByLabel("Urgent").check();
  await details.getByLabel("Due").fill("2030-05-01");
  await details.getByLabel("Add a label").fill("venue");
  await details.getByLabel("Add a label").press("Enter");
  await details.getByLabel("Notes").fill("Ask for the key.");
  await details.getByRole("button", { name: "Close" }).click();

  const hall = ada.card("Book the town hall");
  await expect(hall).toContainText("Urgent");
  await expect(hall).toContainText("1 May 2030");
  await expect(hall).toContainText("venue");
  await expect(hall).toContainText("Ask for the key.");

  await ada.page.getByRole("button", { name: "Untitled board" }).click();
  await ada.page.getByLabel("Board title").fill("Summer party");
  await ada.page.getByLabel("Board title").press("Enter");
  await expect(bo.page.getByRole("heading", { name: "Summer party" })).toBeVisible();
  await expect(bo.page).toHaveTitle("Summer party · Sheetbend");

  await ada.isSaved();
  await ada.page.reload();
  await expect(ada.cards("To do")).toHaveText(["Book the town hall", "Call the band", "Print the posters"]);
});

test("what two people write in the same notes both stays", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Shopping");
  await expect(bo.card("Shopping")).toBeVisible();

  const adas = await ada.open("Shopping");
  await adas.getByLabel("Notes").fill("Milk");
  await adas.getByRole("button", { name: "Close" }).click();
  await expect(bo.card("Shopping")).toContainText("Milk");

  const [one, two] = [await ada.open("Shopping"), await bo.open("Shopping")];
  await one.getByLabel("Notes").fill("Milk\neggs");
  await two.getByLabel("Notes").fill("Milk\nbread");
  await one.getByRole("button", { name: "Close" }).click();
  await two.getByRole("button", { name: "Close" }).click();

  for (const person of [ada, bo]) {
    await expect(person.card("Shopping").locator(".card-notes")).toContainText("eggs");
    await expect(person.card("Shopping").locator(".card-notes")).toContainText("bread");
  }
  const notes = (person: Person) => person.card("Shopping").locator(".card-notes").textContent();
  await expect.poll(async () => (await notes(ada)) === (await notes(bo))).toBe(true);
});

test("a change to one card touches that card's nodes only", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  await expect(bo.cards("To do")).toHaveCount(3);

  await bo.page.evaluate(() => {
    const seen: string[] = [];
    const observer = new MutationObserver((mutations) => {
      for (const mutation of mutations) {
        const element = mutation.target instanceof Element ? mutation.target : mutation.target.parentElement;
        seen.push(element?.closest(".card")?.querySelector(".card-open")?.textContent ?? `outside: ${element?.className}`);
      }
    });
    const board = document.querySelector(".board");
    if (board) observer.observe(board, { subtree: true, childList: true, attributes: true, characterData: true });
    Object.assign(globalThis, { seen });
  });
  await ada.card("Two").getByRole("checkbox", { name: "Done" }).check();
  await expect(bo.card("Two")).toHaveClass(/\bdone\b/);

  const seen = await bo.page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
  expect(new Set(seen)).toEqual(new Set(["Two"]));
  expect(seen.length, "one class").toBeLessThanOrEqual(2);
});

test("who has the view link sees everything and changes nothing", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Book the hall");

  await ada.page.getByRole("button", { name: "Share" }).click();
  const link = ada.page.getByRole("dialog").getByLabel("Who has this link can only view");
  await expect(link).toHaveValue(board.viewUrl);
  await expect(ada.page.getByRole("dialog").getByLabel("Who has this link can edit")).toHaveValue(board.editUrl);

  const guest = await Person.at(browser, board.viewUrl);
  await expect(guest.card("Book the hall")).toBeVisible();
  await expect(guest.page.getByText("View only")).toBeVisible();
  await expect(guest.page.getByRole("button", { name: "Add card" })).toHaveCount(0);
  await expect(guest.card("Book the hall").getByRole("checkbox")).toBeDisabled();

  await ada.page.keyboard.press("Escape");
  await ada.addCards("To do", "Call the band");
  await expect(guest.card("Call the band")).toBeVisible();
});

test("a link to no board says so", async ({ page, sharedServer }) => {
  const response = await page.goto(`${sharedServer.url}/b/AAAAAAAAAAAAAAAAAAAAAA`);
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
});

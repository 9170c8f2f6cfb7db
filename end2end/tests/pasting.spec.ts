import { type Browser, type Locator } from "@playwright/test";
import { createBoard, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

const lines = Array.from({ length: 40 }, (_, n) => `${n + 1}. Item number ${n + 1} of the list that came by e-mail`);
const titles = lines.map((line) => line.replace(/^\d+\. /, ""));

async function atList(browser: Browser, url: string): Promise<Person> {
  const board = await createBoard(url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  return ada;
}

/** Puts a text into the field that has the focus, as a paste does. */
async function paste(field: Locator, text: string): Promise<void> {
  await field.focus();
  await field.evaluate((_, text) => document.execCommand("insertText", false, text), text);
}

test("forty lines pasted into a new card become forty cards, and one undo takes them back", async ({ browser, sharedServer }) => {
  const ada = await atList(browser, sharedServer.url);
  await ada.addCards("To do", "First");
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await paste(ada.page.getByLabel("New card"), lines.join("\n"));
  await ada.page.getByRole("button", { name: "Add 40 cards" }).click();
  await expect(ada.cards("To do")).toHaveText(["First", ...titles]);
  await ada.isSaved();
  await ada.page.locator(".toast").filter({ hasText: "40 cards added." }).getByRole("button", { name: "Undo" }).click();
  await expect(ada.cards("To do")).toHaveText(["First"]);
});

test("checkboxes are understood, and Enter adds what the button says", async ({ browser, sharedServer }) => {
  const ada = await atList(browser, sharedServer.url);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await paste(ada.page.getByLabel("New card"), "- [ ] Milk\n- [x] Eggs\n\n☐ Bread\n");
  await expect(ada.page.getByRole("button", { name: "Add 3 cards" })).toBeVisible();
  await ada.page.getByLabel("New card").press("Enter");
  await expect(ada.cards("To do")).toHaveText(["Milk", "Eggs", "Bread"]);
  await expect(ada.card("Eggs")).toHaveClass(/\bdone\b/);
  await expect(ada.page.getByLabel("New card")).toHaveValue("");
  await expect(ada.page.getByLabel("New card")).toBeFocused();
});

test("forty lines kept as one card are all in it", async ({ browser, sharedServer }) => {
  const ada = await atList(browser, sharedServer.url);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await paste(ada.page.getByLabel("New card"), lines.join("\n"));
  await ada.page.getByRole("button", { name: "Keep as one card" }).click();
  await expect(ada.cards("To do")).toHaveText([lines[0]!]);
  const details = await ada.open(lines[0]!);
  await expect(details.getByLabel("Notes")).toHaveValue(lines.slice(1).join("\n"));
});

test("lines pasted into a new list become lists", async ({ browser, sharedServer }) => {
  const ada = await atList(browser, sharedServer.url);
  await ada.page.getByRole("button", { name: "Add list" }).click();
  await paste(ada.page.getByLabel("New list"), "Doing\nDone\nLater");
  await ada.page.getByRole("button", { name: "Add 3 lists" }).click();
  await expect(ada.page.getByRole("heading", { level: 2 })).toHaveText(["To do", "Doing", "Done", "Later"]);
  await ada.page.getByRole("button", { name: "Undo" }).click();
  await expect(ada.page.getByRole("heading", { level: 2 })).toHaveText(["To do"]);
});

test("a line beyond the limit of a title is cut nowhere", async ({ browser, sharedServer }) => {
  const ada = await atList(browser, sharedServer.url);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  const long = "word ".repeat(120).trim();
  await paste(ada.page.getByLabel("New card"), long);
  await expect(ada.page.getByLabel("New card")).toHaveValue(long);
  await expect(ada.list("To do")).toContainText("99 characters too long");
  await ada.page.getByLabel("New card").press("Enter");
  await expect(ada.list("To do").getByRole("alert")).toContainText("too long");
  await expect(ada.page.getByLabel("New card")).toHaveValue(long);
  await expect(ada.cards("To do")).toHaveCount(0);
  // Among other lines it is whole in the notes of its card.
  await paste(ada.page.getByLabel("New card"), "\nMilk");
  await ada.page.getByRole("button", { name: "Add 2 cards" }).click();
  await expect(ada.cards("To do")).toHaveCount(2);
  await ada.cards("To do").first().click();
  await expect(ada.page.getByRole("dialog").getByLabel("Notes")).toHaveValue(long);
});

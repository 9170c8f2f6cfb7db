import { type BrowserContext, type Locator, type Page } from "@playwright/test";
import { allowErrors, CRASH, createBoard, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** Someone at a new board with the list “To do” and the card “Shopping”. */
async function atBoard(context: BrowserContext, url: string): Promise<{ ada: Person; boardUrl: string }> {
  const board = await createBoard(url);
  const ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Shopping");
  await ada.isSaved();
  return { ada, boardUrl: board.editUrl };
}

/** The texts of the drafts in IndexedDB. */
async function inDatabase(page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open("sheetbend"));
    const texts = (await done(database.transaction("drafts").objectStore("drafts").getAll())) as string[];
    database.close();
    return texts.map((text) => (JSON.parse(text) as { text: string }).text);
  });
}

/** A place where text is typed: how to get there, and the field. */
interface Place {
  name: string;
  open(ada: Person): Promise<void>;
  field(page: Page): Locator;
}

const details = (page: Page) => page.getByRole("dialog", { name: "Card" });
const places: Place[] = [
  {
    name: "a new card",
    open: (ada) => ada.list("To do").getByRole("button", { name: "Add card" }).click(),
    field: (page) => page.getByLabel("New card"),
  },
  {
    name: "a new list",
    open: (ada) => ada.page.getByRole("button", { name: "Add list" }).click(),
    field: (page) => page.getByLabel("New list"),
  },
  {
    name: "the board's title",
    open: (ada) => ada.page.getByRole("button", { name: "Untitled board" }).click(),
    field: (page) => page.getByLabel("Board title"),
  },
  {
    name: "a list's title",
    open: (ada) => ada.list("To do").getByRole("button", { name: "To do" }).click(),
    field: (page) => page.getByLabel("List title"),
  },
  {
    name: "a card's title",
    open: async (ada) => void (await ada.open("Shopping")),
    field: (page) => details(page).getByLabel("Title"),
  },
  {
    name: "a card's notes",
    open: async (ada) => void (await ada.open("Shopping")),
    field: (page) => details(page).getByLabel("Notes"),
  },
  {
    name: "a label",
    open: async (ada) => void (await ada.open("Shopping")),
    field: (page) => details(page).getByLabel("Add a label"),
  },
];

for (const place of places) {
  test(`${place.name} being typed comes back after a reload, a crash, and Back`, async ({ browser, sharedServer }) => {
    const context = await browser.newContext();
    const { ada, boardUrl } = await atBoard(context, sharedServer.url);
    const { page } = ada;
    await place.open(ada);
    await place.field(page).fill("");
    await place.field(page).pressSequentially("half a tho");
    await page.reload();
    await expect(place.field(page)).toHaveValue("half a tho");

    await place.field(page).press("End");
    await place.field(page).pressSequentially("ught");
    // The page is gone at once: no handler of it runs.
    const next = await context.newPage();
    const client = await context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    allowErrors(CRASH);
    void client.send("Page.crash").catch(() => {});
    await crashed;
    await next.goto(boardUrl);
    await expect(place.field(next)).toHaveValue("half a thought");

    await next.goto(`${sharedServer.url}/`);
    await next.goBack();
    await expect(place.field(next)).toHaveValue("half a thought");
  });
}

test("what is typed is on the device with the key that types it", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await ada.page.getByLabel("New card").pressSequentially("Milk");
  const stored = await ada.page.evaluate(() => Object.entries(localStorage).filter(([name]) => name.startsWith("sheetbend/draft/")));
  expect(stored).toHaveLength(1);
  expect(JSON.parse(stored[0]![1])).toMatchObject({ text: "Milk" });
  await ada.page.getByLabel("New card").press("Enter");
  await expect(ada.cards("To do")).toHaveText(["Shopping", "Milk"]);
  const left = () => ada.page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("sheetbend/draft/")));
  await expect.poll(left, "it is a change now").toEqual([]);
  expect(await inDatabase(ada.page)).toEqual([]);
});

test("what the quick storage has lost comes back from the database, and not again once it is a change", async ({ browser, sharedServer }) => {
  const context = await browser.newContext();
  const { ada: first, boardUrl } = await atBoard(context, sharedServer.url);
  let ada = first;
  const other = await context.newPage();
  await other.goto(`${sharedServer.url}/favicon.svg`);
  const lose = async (text: string | undefined) => {
    const records = await other.evaluate(() => Object.entries(localStorage).filter(([name]) => name.startsWith("sheetbend/draft/")));
    await ada.page.close();
    // As a browser does that was killed before it wrote to the disk.
    await other.evaluate(
      ([records, text]) => {
        for (const [name, record] of records) {
          if (text === undefined) localStorage.removeItem(name);
          else localStorage.setItem(name, JSON.stringify({ ...JSON.parse(record), text, at: 1 }));
        }
      },
      [records, text] as const,
    );
  };
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await ada.page.getByLabel("New card").pressSequentially("Milk and bread");
  await expect.poll(() => inDatabase(ada.page)).toEqual(["Milk and bread"]);
  await lose("Milk");
  ada = await Person.in(context, boardUrl);
  await expect(ada.page.getByLabel("New card")).toHaveValue("Milk and bread");
  await ada.page.getByLabel("New card").press("End");
  await ada.page.getByLabel("New card").pressSequentially("!");
  await expect.poll(() => inDatabase(ada.page)).toEqual(["Milk and bread!"]);
  await lose(undefined);
  ada = await Person.in(context, boardUrl);
  await expect(ada.page.getByLabel("New card")).toHaveValue("Milk and bread!");
  await ada.page.getByLabel("New card").press("Enter");
  await ada.page.reload();
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["Shopping", "Milk and bread!"]);
  expect(await inDatabase(ada.page)).toEqual([]);
  await expect(ada.page.getByLabel("New card")).toHaveCount(0);
});

for (const how of ["Escape", "Done"] as const) {
  test(`${how} gives a new card up, and it can be had back`, async ({ browser, sharedServer }) => {
    const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
    const field = ada.page.getByLabel("New card");
    await ada.list("To do").getByRole("button", { name: "Add card" }).click();
    await field.fill("Buy the milk");
    if (how === "Escape") await field.press("Escape");
    else await ada.list("To do").getByRole("button", { name: "Done" }).click();
    await expect(field).toHaveCount(0);
    await expect(ada.list("To do").getByRole("button", { name: "Add card" })).toBeFocused();
    await ada.page.locator(".toast").filter({ hasText: "Discarded “Buy the milk”" }).getByRole("button", { name: "Undo" }).click();
    await expect(field).toHaveValue("Buy the milk");
    await field.press("Enter");
    await expect(ada.cards("To do")).toHaveText(["Shopping", "Buy the milk"]);
    // Once it is given up for good, a reload does not bring it back.
    await field.fill("Never mind");
    await field.press("Escape");
    await ada.page.reload();
    await ada.isSaved();
    await expect(field).toHaveCount(0);
  });
}

test("Escape in a card gives up its title and label, and both can be had back", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  const dialog = await ada.open("Shopping");
  await dialog.getByLabel("Title").fill("Go shopping");
  // Not by leaving the field: that would save the title.
  await dialog.getByLabel("Title").press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(ada.card("Shopping")).toBeVisible();
  await expect(ada.card("Shopping").locator(".card-open")).toBeFocused();
  await ada.page.getByRole("button", { name: "Undo" }).click();
  await expect(dialog.getByLabel("Title")).toHaveValue("Go shopping");
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(ada.card("Go shopping")).toBeVisible();
});

test("Ctrl+Z after a discard brings the text back, and changes nothing on the board", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  const field = ada.page.getByLabel("New card");
  await field.pressSequentially("Precious words");
  await field.press("Escape");
  await expect(ada.list("To do").getByRole("button", { name: "Add card" })).toBeFocused();
  await ada.page.keyboard.press("Control+z");
  await expect(field).toHaveValue("Precious words");
  await expect(ada.page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(ada.cards("To do")).toHaveText(["Shopping"]);
});

test("notes beyond their limit leave a way out: close again keeps them as a draft, and so does Escape", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  const dialog = await ada.open("Shopping");
  const notes = dialog.getByLabel("Notes");
  const long = '"'.repeat(40_000);
  await notes.fill(long);
  const close = dialog.getByRole("button", { name: "Close" });
  await close.click();
  await expect(dialog.getByRole("alert")).toContainText("too long");
  await expect(notes, "what is to be shortened").toBeFocused();
  await close.click();
  await expect(dialog).toHaveCount(0);
  await ada.open("Shopping");
  await expect(notes).toHaveValue(long);
  await notes.press("Escape");
  await expect(dialog.getByRole("alert")).toContainText("too long");
  await ada.page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await ada.page.reload();
  await expect(notes, "the card that was typed in last opens again").toHaveValue(long);
});

test("a discarded text comes back behind what is being typed in its place", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  const add = ada.list("To do").getByRole("button", { name: "Add card" });
  const field = ada.page.getByLabel("New card");
  await add.click();
  await field.pressSequentially("Buy the milk");
  await field.press("Escape");
  await add.click();
  await field.pressSequentially("Buy eggs");
  await ada.page.getByRole("button", { name: "Undo" }).click();
  await expect(field).toHaveValue("Buy eggs\nBuy the milk");
  await ada.page.reload();
  await expect(field).toHaveValue("Buy eggs\nBuy the milk");
  await ada.page.getByRole("button", { name: "Add 2 cards" }).click();
  await expect(ada.cards("To do")).toHaveText(["Shopping", "Buy eggs", "Buy the milk"]);
});

test("a text beyond its limit is held, says how much is too long, and is saved once it fits", async ({ browser, sharedServer }) => {
  const { ada } = await atBoard(await browser.newContext(), sharedServer.url);
  const dialog = await ada.open("Shopping");
  const title = dialog.getByLabel("Title");
  await title.fill("漢".repeat(490));
  await expect(dialog).toContainText("10 characters left");
  await title.fill("漢".repeat(503));
  await expect(dialog).toContainText("3 characters too long");
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(dialog.getByRole("alert")).toContainText("too long");
  const again = dialog.getByText("Close again to keep the text on this device for later.");
  await expect(again).toBeVisible();
  await title.press("End");
  await title.press("Backspace");
  await expect(again, "not of a text that was changed since").toBeHidden();
  await title.fill("漢".repeat(503));
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(again).toBeVisible();
  await expect(title).toHaveValue("漢".repeat(503));
  await ada.page.reload();
  await expect(title).toHaveValue("漢".repeat(503));
  await title.fill("漢".repeat(500));
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(ada.card("漢".repeat(500))).toBeVisible();
});

test("a list that somebody archives leaves the card that is being typed with its author", async ({ browser, sharedServer }) => {
  const { ada, boardUrl } = await atBoard(await browser.newContext(), sharedServer.url);
  await ada.addList("Doing");
  const bo = await Person.at(browser, boardUrl);
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await ada.page.getByLabel("New card").pressSequentially("Buy the milk");
  await bo.list("To do").getByLabel("List menu").click();
  await bo.list("To do").getByRole("button", { name: "Archive" }).click();
  const homeless = ada.page.getByRole("region", { name: "Texts without a place" });
  await expect(homeless).toContainText("The list “To do” is not here any more");
  const kept = homeless.getByRole("textbox");
  await expect(kept).toHaveValue("Buy the milk");
  await expect(kept, "typing goes on").toBeFocused();
  await ada.page.keyboard.type(" and bread");
  await expect(kept).toHaveValue("Buy the milk and bread");
  await ada.page.reload();
  const field = ada.list("Doing").getByLabel("New card");
  await ada.list("Doing").getByRole("button", { name: "Add card" }).click();
  await field.pressSequentially("Buy eggs");
  await homeless.getByRole("button", { name: "Put into “Doing”" }).click();
  await expect(homeless).toHaveCount(0);
  await expect(field, "behind what is there").toHaveValue("Buy eggs\nBuy the milk and bread");
  await expect(field).toBeFocused();
  await field.press("Enter");
  await expect(ada.cards("Doing")).toHaveText(["Buy eggs", "Buy the milk and bread"]);
});

test("two tabs type in one place, and neither loses its text", async ({ browser, sharedServer }) => {
  const context = await browser.newContext();
  const { ada, boardUrl } = await atBoard(context, sharedServer.url);
  const other = await Person.in(context, boardUrl);
  for (const [tab, text] of [[ada, "from the first"], [other, "from the second"]] as const) {
    await tab.list("To do").getByRole("button", { name: "Add card" }).click();
    await tab.page.getByLabel("New card").pressSequentially(text);
  }
  await ada.page.reload();
  await expect(ada.page.getByLabel("New card")).toHaveValue("from the first");
  await other.page.reload();
  await expect(other.page.getByLabel("New card")).toHaveValue("from the second");
  // A tab that is closed leaves its text to one that has none there.
  await other.page.getByLabel("New card").press("Enter");
  await expect(other.cards("To do")).toHaveText(["Shopping", "from the second"]);
  await ada.page.close();
  await other.page.reload();
  await expect(other.page.getByLabel("New card")).toHaveValue("from the first");
});

import { type Page } from "@playwright/test";
import { createBoard, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";
import { Wire } from "../support/wire.ts";

/** What the page has thrown, and what it has written to the console as an error. */
function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return errors;
}

/** Someone at a new board with the lists “To do” and “Doing” and some cards, and the errors of their page. */
async function planning(browser: Parameters<typeof Person.at>[0], url: string): Promise<{ ada: Person; errors: string[]; boardUrl: string }> {
  const board = await createBoard(url);
  const ada = await Person.at(browser, board.editUrl);
  const errors = errorsOf(ada.page);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  await ada.addList("Doing");
  await ada.addCards("Doing", "Four");
  return { ada, errors, boardUrl: board.editUrl };
}

/** Presses the page beside the open dialog. */
async function pressBackdrop(page: Page): Promise<void> {
  await page.mouse.click(4, 300);
}

test("“Move to…” moves, again and again", async ({ browser, sharedServer }) => {
  const { ada, errors } = await planning(browser, sharedServer.url);
  for (const [card, list, place] of [["One", "Doing", "2"], ["Two", "Doing", "1"], ["One", "To do", "2"], ["Four", "To do", "1"]] as const) {
    const details = await ada.open(card);
    await details.getByRole("button", { name: "Move to…" }).click();
    const dialog = ada.page.getByRole("dialog", { name: "Move to" });
    await dialog.getByLabel("List").selectOption({ label: list });
    await dialog.getByLabel("Place").selectOption({ label: place });
    await dialog.getByRole("button", { name: "Move", exact: true }).click();
    await expect(ada.cards(list).nth(Number(place) - 1)).toHaveText(card);
    await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  }
  await expect(ada.cards("To do")).toHaveText(["Four", "Three", "One"]);
  expect(errors).toEqual([]);
});

for (const field of ["Title", "Notes", "Add a label", "Due"]) {
  test(`Back while “${field}” of a card is being typed leaves a page that works`, async ({ browser, sharedServer }) => {
    const board = await createBoard(sharedServer.url);
    const page = await (await browser.newContext()).newPage();
    const errors = errorsOf(page);
    await page.goto(board.editUrl);
    const bo = Person.on(page);
    await bo.isSaved();
    await bo.addList("To do");
    await bo.addCards("To do", "One");
    await page.getByRole("link", { name: "All boards" }).click();
    await page.getByRole("link", { name: "Untitled board" }).click();
    await bo.isSaved();
    const details = await bo.open("One");
    await details.getByLabel(field).focus();
    await page.keyboard.type(field === "Due" ? "05012030" : "typed");
    await page.goBack();
    await expect(page.getByRole("button", { name: "New board", exact: true })).toBeVisible();
    await page.getByRole("button", { name: "New board", exact: true }).click();
    await bo.isSaved();
    await bo.addList("It works");
    expect(errors).toEqual([]);
  });
}

test("a press beside the dialog saves the title that was typed", async ({ browser, sharedServer }) => {
  const { ada, errors } = await planning(browser, sharedServer.url);
  const details = await ada.open("One");
  await details.getByLabel("Title").fill("One and a half");
  await pressBackdrop(ada.page);
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await expect(ada.cards("To do")).toHaveText(["One and a half", "Two", "Three"]);
  expect(errors).toEqual([]);
});

test("a press beside the dialog saves the title, also when somebody archived the card meanwhile", async ({ browser, sharedServer }) => {
  const { ada, errors, boardUrl } = await planning(browser, sharedServer.url);
  const bo = await Person.at(browser, boardUrl);
  const details = await ada.open("One");
  await details.getByLabel("Title").fill("One and a half");
  const others = await bo.open("One");
  await others.getByRole("button", { name: "Archive" }).click();
  await expect(details.getByRole("button", { name: "Restore" })).toBeVisible();
  await pressBackdrop(ada.page);
  await expect(ada.page.getByRole("dialog")).toHaveCount(0);
  await expect(ada.cards("To do")).toHaveText(["Two", "Three"]);
  await ada.page.getByLabel("Board menu").click();
  await ada.page.getByRole("button", { name: "Archive", exact: true }).click();
  await expect(ada.page.getByRole("dialog", { name: "Archive" })).toContainText("One and a half");
  expect(errors).toEqual([]);
});

test("a list that is archived while its menu or a form in it has the focus takes nothing with it", async ({ browser, sharedServer }) => {
  const { ada, errors, boardUrl } = await planning(browser, sharedServer.url);
  const bo = await Person.at(browser, boardUrl);
  const archive = async (person: Person, list: string) => {
    await person.list(list).getByLabel("List menu").click();
    await person.list(list).getByRole("button", { name: "Archive" }).click();
  };
  // Somebody archives the list whose title is being typed.
  await ada.list("To do").getByRole("button", { name: "To do" }).click();
  await ada.page.keyboard.type("Later");
  await archive(bo, "To do");
  await expect(ada.page.locator(".list")).toHaveCount(1);
  // One's own list, from its menu.
  await archive(ada, "Doing");
  await expect(ada.page.locator(".list")).toHaveCount(0);
  await expect(ada.page.locator(":focus")).toHaveCount(1);
  await ada.addList("Goes on");
  expect(errors).toEqual([]);
});

test("a board that is left while its status is about to change leaves nothing behind", async ({ browser, sharedServer }) => {
  const { ada, errors } = await planning(browser, sharedServer.url);
  await ada.card("One").getByRole("checkbox").check();
  await ada.page.getByRole("link", { name: "All boards" }).click();
  await expect(ada.page.getByRole("button", { name: "New board", exact: true })).toBeVisible();
  await ada.page.getByRole("link", { name: "Untitled board" }).click();
  await ada.isSaved();
  await expect(ada.card("One")).toHaveClass(/\bdone\b/);
  expect(errors).toEqual([]);
});

test("a board that is left while somebody renames it gives the window's title to the next page", async ({ browser, sharedServer }) => {
  const { ada, errors, boardUrl } = await planning(browser, sharedServer.url);
  const other = await createBoard(sharedServer.url);
  await ada.page.goto(other.editUrl);
  await ada.isSaved();
  await ada.page.goto(sharedServer.url);
  const bo = new Wire(sharedServer.direct, boardUrl.slice(-22));
  await bo.connect();
  const link = (url: string) => ada.page.locator(`a[href="${new URL(url).pathname}"]`);
  await link(other.editUrl).click();
  await ada.isSaved();
  await ada.page.getByRole("link", { name: "All boards" }).click();
  await link(boardUrl).click();
  await ada.isSaved();
  for (let round = 1; round <= 10; round += 1) {
    const [away, back] = round % 2 ? [-1, 1] : [-2, 2];
    await Promise.all([bo.offer({ kind: "rename_board", title: `Round ${round}` }), ada.page.evaluate((by) => history.go(by), away)]);
    await expect(ada.page).not.toHaveTitle(/Round/);
    await ada.page.evaluate((by) => history.go(by), back);
    await expect(ada.page).toHaveTitle(`Round ${round} · Sheetbend`);
    await expect(ada.cards("Doing")).toHaveText(["Four"]);
  }
  expect(errors).toEqual([]);
});

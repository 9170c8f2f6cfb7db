// Keys act once, on what they are meant for, and the focus stays on the page.
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** Fails if the focus is on nothing. Returns what has it. */
async function focused(who: Person): Promise<string> {
  const of = () => who.page.evaluate(() => document.activeElement?.tagName ?? "none");
  await expect.poll(of, "the focus is on something").not.toBe("BODY");
  return await of();
}

test("keys that come faster than frames act on the card that the keys before them led to", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  await ada.isSaved();
  await ada.cards("To do").first().focus();
  const press = (...keys: string[]) =>
    ada.page.evaluate((keys) => {
      for (const key of keys) {
        document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      }
    }, keys);
  await press("ArrowDown", "ArrowDown", "x", "ArrowUp", "u");
  await expect(ada.card("Three").getByRole("checkbox")).toBeChecked();
  await expect(ada.card("Two").getByText("Urgent")).toBeVisible();
  await ada.isSaved();
  await expect(ada.page.getByRole("checkbox", { checked: true })).toHaveCount(1);
  await press("a", "a");
  await expect(ada.cards("To do")).toHaveText(["One"]);
  await expect(ada.cards("To do")).toBeFocused();
});

test("a key that is held acts once", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  const { keyboard } = ada.page;
  await ada.cards("To do").first().focus();
  // Playwright marks those after the first as repeated, as a keyboard does.
  for (let n = 0; n < 4; n += 1) await keyboard.down("a");
  await keyboard.up("a");
  await expect(ada.cards("To do")).toHaveText(["Two", "Three"]);
  await expect(ada.page.locator(".card-open:focus")).toHaveText("Two");
  for (let n = 0; n < 4; n += 1) await keyboard.down("x");
  await keyboard.up("x");
  await expect(ada.card("Two").getByRole("checkbox")).toBeChecked();
  for (let n = 0; n < 3; n += 1) await keyboard.down("u");
  await keyboard.up("u");
  await expect(ada.card("Two").getByText("Urgent")).toBeVisible();

  // Each is undone by itself, also by a key that is held.
  await keyboard.down("Control");
  for (let n = 0; n < 3; n += 1) await keyboard.down("z");
  await keyboard.up("z");
  await keyboard.up("Control");
  await expect(ada.card("Two").getByText("Urgent")).toBeHidden();
  await expect(ada.card("Two").getByRole("checkbox")).toBeChecked();
  await keyboard.press("Control+z");
  await expect(ada.card("Two").getByRole("checkbox")).not.toBeChecked();
  await keyboard.press("Control+z");
  await expect(ada.cards("To do")).toHaveText(["One", "Two", "Three"]);
  await expect(ada.page.locator(".card-open:focus"), "the card that came back").toHaveText("One");
});

test("Enter that is held on a card opens it and presses nothing there", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.cards("To do").first().focus();
  await ada.page.keyboard.down("Enter");
  const details = ada.page.getByRole("dialog", { name: "Card" });
  await expect(details).toBeVisible();
  const closed = ada.page.evaluate(
    () => new Promise((done) => document.querySelector("dialog[open]")!.addEventListener("close", () => done("closed"))),
  );
  for (let n = 0; n < 3; n += 1) await ada.page.keyboard.down("Enter");
  await ada.page.keyboard.up("Enter");
  await expect(details).toBeVisible();
  await ada.page.keyboard.press("Escape");
  expect(await closed).toBe("closed");
  await expect(ada.page.locator(".card-open:focus")).toHaveText("One");
});

test("letters that are meant for a field that has just gone act on nothing", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  const { page } = ada;
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await page.keyboard.type("mi");
  // Something takes the focus away, in the midst of a word.
  await page.evaluate(() => document.querySelector<HTMLElement>(".card-open")!.focus());
  await page.keyboard.type("xua?");
  await page.keyboard.press("Control+z");
  await expect(ada.cards("To do")).toHaveText(["One"]);
  await expect(ada.card("One").getByRole("checkbox")).not.toBeChecked();
  await expect(ada.card("One").getByText("Urgent")).toBeHidden();
  await expect(page.locator("dialog[open]")).toHaveCount(0);
  await expect(page.getByLabel("New card"), "nor does the browser's own undo").toHaveValue("mi");
  // A move of the focus by hand ends the text.
  await ada.cards("To do").first().focus();
  await page.keyboard.press("Escape");
  await page.keyboard.press("x");
  await expect(ada.card("One").getByRole("checkbox")).toBeChecked();
});

test("keys of an input method, and with others, act on nothing", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.cards("To do").first().focus();
  const state = () => ada.page.evaluate(() => [document.querySelector(".card")!.className, document.querySelectorAll(".card").length]);
  const before = await state();
  await ada.page.evaluate(() => {
    const card = document.querySelector(".card-open")!;
    const press = (key: string, init: KeyboardEventInit & { keyCode?: number }) =>
      card.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
    for (const key of ["x", "u", "a", "m", "n"]) {
      for (const init of [{ isComposing: true }, { keyCode: 229 }, { ctrlKey: true }, { metaKey: true }, { altKey: true }]) press(key, init);
    }
    // Filling in a form, Chromium sends keydown events that have no key.
    card.dispatchEvent(new Event("keydown", { bubbles: true }));
  });
  expect(await state()).toEqual(before);
  await expect(ada.page.locator("dialog[open]")).toHaveCount(0);
  await ada.page.keyboard.press("x");
  await expect(ada.card("One"), "the page still hears keys").toHaveClass("card done");
});

test("the focus goes to the neighbour when a card is archived, by key, by dialog, or by somebody else", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three", "Four");
  const bo = await Person.at(browser, board.editUrl);
  const focus = ada.page.locator(".card-open:focus");

  const details = await ada.open("Two");
  await details.getByRole("button", { name: "Archive" }).click();
  await expect(focus).toHaveText("Three");
  await expect(bo.cards("To do")).toHaveText(["One", "Three", "Four"]);
  await bo.cards("To do").nth(1).focus();
  await bo.page.keyboard.press("a");
  await expect(ada.cards("To do")).toHaveText(["One", "Four"]);
  await expect(focus, "Bo has archived what had the focus").toHaveText("Four");
  await ada.page.keyboard.press("a");
  await expect(focus, "the last one: the one before").toHaveText("One");

  await ada.open("One");
  await expect(bo.cards("To do")).toHaveText(["One"]);
  await bo.cards("To do").first().focus();
  await bo.page.keyboard.press("a");
  await expect(ada.cards("To do")).toHaveCount(0);
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.locator(".add-card"), "the list is empty").toBeFocused();
});

test("the focus stays on the page when a list is archived, by its menu or by somebody else", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  for (const title of ["A", "B", "C"]) await ada.addList(title);
  await ada.addCards("C", "One");
  const bo = await Person.at(browser, board.editUrl);
  const archive = async (who: Person, title: string) => {
    await who.list(title).getByLabel("List menu").click();
    await who.list(title).getByRole("button", { name: "Archive" }).click();
  };
  await archive(ada, "A");
  await expect(ada.list("B").locator(":focus"), "the list that has come to its place").toBeVisible();
  await ada.cards("C").first().focus();
  await archive(bo, "C");
  await expect(ada.list("C")).toHaveCount(0);
  await focused(ada);
  await archive(bo, "B");
  await expect(ada.list("B")).toHaveCount(0);
  await focused(ada);
});

test("the focus stays in the archive while things are restored, and in a card while labels are taken off", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  await ada.cards("To do").first().focus();
  for (let left = 2; left >= 0; left -= 1) {
    await ada.page.keyboard.press("a");
    await expect(ada.cards("To do")).toHaveCount(left);
  }
  await expect(ada.page.locator(".add-card")).toBeFocused();
  await ada.page.getByLabel("Board menu").click();
  await ada.page.getByRole("button", { name: "Archive" }).click();
  const archive = ada.page.getByRole("dialog", { name: "Archive" });
  for (let left = 2; left >= 0; left -= 1) {
    const restore = archive.getByRole("button", { name: "Restore" });
    await restore.first().focus();
    await ada.page.keyboard.press("Enter");
    await expect(restore).toHaveCount(left);
    await expect(archive.locator("button:focus"), `with ${left} left`).toBeVisible();
  }
  await ada.page.keyboard.press("Escape");

  const details = await ada.open("One");
  for (const label of ["red", "blue"]) {
    await details.getByLabel("Add a label").fill(label);
    await details.getByLabel("Add a label").press("Enter");
    await expect(details.locator(".label-of-card", { hasText: label })).toBeVisible();
  }
  for (let left = 1; left >= 0; left -= 1) {
    await details.locator(".label-of-card button").first().focus();
    await ada.page.keyboard.press("Enter");
    await expect(details.locator(".label-of-card")).toHaveCount(left);
    await expect(details.locator(":focus"), `with ${left} left`).toBeVisible();
  }
});

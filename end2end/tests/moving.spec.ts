import type { Locator } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { createBoard } from "../support/board.ts";
import { Person } from "../support/person.ts";

async function centre(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error("it is not drawn");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

test("cards are dragged with the mouse, within a list and to another", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addList("Doing");
  await ada.addCards("To do", "One", "Two", "Three");
  const { mouse } = ada.page;

  const drag = async (from: { x: number; y: number }, to: { x: number; y: number }) => {
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move(to.x, to.y, { steps: 8 });
    await expect(ada.page.locator(".drop-line")).toBeVisible();
    await mouse.up();
  };
  await drag(await centre(ada.card("One")), await centre(ada.list("Doing")));
  await expect(bo.cards("Doing")).toHaveText(["One"]);
  await expect(bo.cards("To do")).toHaveText(["Two", "Three"]);

  const three = await centre(ada.card("Three"));
  const two = await centre(ada.card("Two"));
  await drag(three, { x: two.x, y: two.y - 12 });
  await expect(bo.cards("To do")).toHaveText(["Three", "Two"]);
  await expect(ada.page.getByRole("dialog"), "a drag is no click").toHaveCount(0);

  const away = await centre(ada.card("Two"));
  await mouse.move(away.x, away.y);
  await mouse.down();
  await mouse.move(away.x + 200, away.y, { steps: 4 });
  await ada.page.keyboard.press("Escape");
  await mouse.up();
  await expect(ada.page.locator(".drop-line"), "Escape lets it go where it was").toHaveCount(0);
  await expect(ada.cards("To do")).toHaveText(["Three", "Two"]);
});

test("lists are dragged by their heads", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  for (const title of ["A", "B", "C"]) await ada.addList(title);
  const from = await ada.list("A").locator(".list-head").boundingBox();
  const to = await ada.list("C").boundingBox();
  if (!from || !to) throw new Error("they are drawn");
  await ada.page.mouse.move(from.x + from.width - 60, from.y + from.height / 2);
  await ada.page.mouse.down();
  await ada.page.mouse.move(to.x + to.width - 10, to.y + 20, { steps: 8 });
  await ada.page.mouse.up();
  await expect(ada.page.locator(".list-title")).toHaveText(["B", "C", "A"]);
});

test("a finger that rests first drags a card", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl, { viewport: { width: 1000, height: 700 }, hasTouch: true });
  await ada.addList("To do");
  await ada.addList("Doing");
  await ada.addCards("To do", "One", "Two");

  const touch = await ada.page.context().newCDPSession(ada.page);
  const send = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
    touch.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  const from = await centre(ada.card("One"));
  const to = await centre(ada.list("Doing"));
  await send("touchStart", [from]);
  await expect(ada.page.locator(".copy"), "after a rest it is taken up").toBeVisible();
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await send("touchMove", [{ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }]);
  }
  await send("touchEnd", []);
  await expect(ada.cards("Doing")).toHaveText(["One"]);
  await expect(ada.cards("To do")).toHaveText(["Two"]);
});

test("cards are moved by the keyboard alone, and focus goes with them", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addList("Doing");
  await ada.addCards("To do", "One", "Two", "Three");
  const focused = ada.page.locator(".card-open:focus");

  await ada.cards("To do").first().focus();
  await ada.page.keyboard.press("ArrowDown");
  await expect(focused).toHaveText("Two");
  await ada.page.keyboard.press("Alt+ArrowDown");
  await expect(ada.cards("To do")).toHaveText(["One", "Three", "Two"]);
  await expect(focused).toHaveText("Two");
  await expect(ada.page.getByText("Moved to To do, place 3 of 3.")).toBeAttached();
  await ada.page.keyboard.press("Alt+ArrowRight");
  await expect(ada.cards("Doing")).toHaveText(["Two"]);
  await expect(focused).toHaveText("Two");

  await ada.page.keyboard.press("Control+z");
  await expect(ada.cards("To do")).toHaveText(["One", "Three", "Two"]);
});

test("the board's keys are heard though nothing has the focus, and in no field", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  const { page } = ada;
  await expect(page.locator("body")).toBeFocused();
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(keys).toBeVisible();
  await page.keyboard.press("Escape");
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.card("One").getByRole("checkbox").check();
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press("Control+z");
  await expect(ada.card("One").getByRole("checkbox")).not.toBeChecked();
  await ada.list("To do").getByRole("button", { name: "Add card" }).click();
  await page.keyboard.type("Why?");
  await expect(ada.list("To do").getByLabel("New card")).toHaveValue("Why?");
  await expect(keys).toBeHidden();
});

test("“Move to…” takes a card to any list and place", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addList("Doing");
  await ada.addCards("To do", "One");
  await ada.addCards("Doing", "Two", "Three");

  await ada.cards("To do").first().focus();
  await ada.page.keyboard.press("m");
  const dialog = ada.page.getByRole("dialog", { name: "Move to" });
  await dialog.getByLabel("List").selectOption("Doing");
  await dialog.getByLabel("Place").selectOption("2");
  await dialog.getByRole("button", { name: "Move", exact: true }).click();
  await expect(ada.cards("Doing")).toHaveText(["Two", "One", "Three"]);
  await expect(ada.page.locator(".card-open:focus")).toHaveText("One");
});

test("what is archived is kept whole and comes back", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two");

  await ada.cards("To do").first().focus();
  await ada.page.keyboard.press("a");
  await expect(ada.cards("To do")).toHaveText(["Two"]);
  await ada.page.getByRole("button", { name: "Undo" }).click();
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);

  await ada.list("To do").getByLabel("List menu").click();
  await ada.list("To do").getByRole("button", { name: "Archive" }).click();
  await expect(ada.list("To do")).toHaveCount(0);
  await ada.page.getByLabel("Board menu").click();
  await ada.page.getByRole("button", { name: "Archive" }).click();
  await ada.page.getByRole("dialog", { name: "Archive" }).getByRole("button", { name: "Restore" }).click();
  await ada.page.keyboard.press("Escape");
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);
});

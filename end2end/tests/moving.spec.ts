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

test("a release that the page missed lets a card go where it was", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addList("Doing");
  await ada.addCards("To do", "One", "Two");
  const { page } = ada;
  const misses: Record<string, () => void> = {
    "a move without a button": () =>
      document.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, pointerId: 1, buttons: 0, clientX: 400, clientY: 200 })),
    "another window": () => window.dispatchEvent(new Event("blur")),
    "a hidden page": () => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      delete (document as { hidden?: boolean }).hidden;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    },
    "a lost pointer": () => document.dispatchEvent(new PointerEvent("lostpointercapture", { bubbles: true, pointerId: 1 })),
    "a menu": () => document.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true })),
  };
  for (const [name, miss] of Object.entries(misses)) {
    const [from, to] = [await centre(ada.card("One")), await centre(ada.list("Doing"))];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await expect(page.locator(".copy")).toBeVisible();
    await page.evaluate(miss);
    await expect(page.locator(".copy, .drop-line, .carried"), name).toHaveCount(0);
    await page.mouse.move(to.x, to.y + 20);
    await page.mouse.up();
    await expect(ada.cards("To do"), name).toHaveText(["One", "Two"]);
    await expect(page.locator("body"), name).not.toHaveClass(/dragging/);
  }
  await ada.card("One").getByRole("button", { name: "One", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Card" }), "a click is a click again").toBeVisible();
});

for (const width of [360, 390]) {
  test(`on a phone of ${width} pixels a card is dragged to the next list, and to the one after`, async ({ browser, sharedServer }) => {
    const board = await createBoard(sharedServer.url);
    const ada = await Person.at(browser, board.editUrl, { viewport: { width, height: 700 }, hasTouch: true, isMobile: true });
    for (const title of ["To do", "Doing", "Done"]) await ada.addList(title);
    await ada.addCards("To do", "One", "Two");
    await ada.page.evaluate(() => document.querySelector(".lists")!.scrollTo(0, 0));
    const touch = await ada.page.context().newCDPSession(ada.page);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", points: { x: number; y: number }[]) =>
      touch.send("Input.dispatchTouchEvent", { type, touchPoints: points });
    /** Carries a card to the right edge until the list `to` fills the window, and lets it go there. */
    const carry = async (card: string, to: string) => {
      const from = await centre(ada.card(card));
      await send("touchStart", [from]);
      await expect(ada.page.locator(".copy")).toBeVisible();
      const id = await ada.list(to).getAttribute("data-list");
      await send("touchMove", [{ x: (from.x + width) / 2, y: from.y }]);
      await send("touchMove", [{ x: width - 12, y: from.y }]);
      await ada.page.waitForFunction((id) => document.querySelector(`[data-list="${id}"]`)!.getBoundingClientRect().left < 70, id);
      await send("touchMove", [{ x: width / 2, y: from.y }]);
      await expect(ada.page.locator(".drop-line")).toBeVisible();
      await send("touchEnd", []);
      await expect(ada.cards(to)).toHaveText([card]);
    };
    await carry("One", "Doing");
    await ada.page.evaluate(() => document.querySelector(".lists")!.scrollTo(0, 0));
    await carry("Two", "Done");
    await expect(ada.cards("To do")).toHaveCount(0);
  });
}

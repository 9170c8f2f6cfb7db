// Messages that come and go: how long they stay, how they are reached and let go, and what they must never cover.
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

const SWIPE = 80;

async function archive(who: Person, card: string): Promise<void> {
  await who.card(card).getByRole("button", { name: card, exact: true }).focus();
  await who.page.keyboard.press("a");
}

/** Someone with some cards, on a page whose clock can be turned. */
async function plan(browser: Parameters<typeof Person.at>[0], url: string): Promise<Person> {
  const context = await browser.newContext();
  await context.clock.install();
  const ada = await Person.in(context, url);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three", "Four");
  await ada.isSaved();
  return ada;
}

test("a toast goes in its time, and time stands still while someone hovers over it or has the focus in it", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  const toast = page.locator(".toast");
  await archive(ada, "One");
  await expect(toast).toHaveText(["Card archived.Undo"]);
  await page.clock.fastForward(3_000);
  await toast.hover();
  await page.clock.fastForward(20_000);
  await expect(toast).toHaveCount(1);
  await toast.getByRole("button", { name: "Undo" }).focus();
  await page.mouse.move(0, 0);
  await page.clock.fastForward(20_000);
  await expect(toast).toHaveCount(1);
  await page.locator(".pill-open").focus();
  await page.clock.fastForward(100);
  await expect(toast).toHaveCount(1);
  await page.clock.fastForward(3_000);
  await expect(toast).toHaveCount(0);
});

test("“Undo” undoes, and takes the toast away", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  await archive(ada, "Two");
  await expect(ada.cards("To do")).toHaveText(["One", "Three", "Four"]);
  await ada.page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await expect(ada.cards("To do")).toHaveText(["One", "Two", "Three", "Four"]);
  await expect(ada.page.locator(".toast")).toHaveText(["Undone."]);
});

test("on a phone the first tap on “Undo” undoes, of one toast and of several", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two", "Three");
  for (const cards of [["One"], ["Two", "Three"]]) {
    for (const card of cards) await archive(ada, card);
    const undo = ada.page.locator('.toast[data-place="0"]').getByRole("button", { name: "Undo" });
    const { x, y, width, height } = (await undo.boundingBox())!;
    await ada.page.touchscreen.tap(x + width / 2, y + height / 2);
    await expect(ada.card(cards.at(-1)!)).toBeVisible();
  }
});

test("by keyboard: Alt+T goes to the newest, Escape lets it go, and the focus goes back", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await archive(ada, "One");
  const two = ada.card("Two").getByRole("button", { name: "Two", exact: true });
  await expect(two).toBeFocused();
  await page.keyboard.press("Alt+t");
  await expect(page.locator(".toast")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Undo" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.locator(".toast")).toHaveCount(0);
  await expect(two).toBeFocused();
});

test("a toast is swiped away; one that is let go early comes back to its place", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await archive(ada, "One");
  const toast = page.locator(".toast");
  const swipe = async (by: number) => {
    const box = (await toast.locator(".toast-text").boundingBox())!;
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + 10 + by / 2, box.y + 10);
    await page.mouse.move(box.x + 10 + by, box.y + 10);
    await page.mouse.up();
  };
  await swipe(20);
  await expect(toast).toHaveCSS("translate", "none");
  await swipe(-SWIPE);
  await expect(toast).toHaveCount(0);
});

test("three show at once; the others wait behind them, and all are laid out when someone looks", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await page.context().setOffline(true);
  await expect(page.locator(".toast")).toHaveCount(1);
  await archive(ada, "One");
  await page.keyboard.press("Control+z");
  await archive(ada, "One");
  await page.getByLabel("Import unsent changes").setInputFiles({ name: "a.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await expect(page.locator(".toast")).toHaveCount(4);
  await expect(page.locator(".toasts-more")).toHaveText("1 more");
  await expect(page.locator('.toast[data-place="3"]')).toHaveCSS("opacity", "0");
  await page.locator('.toast[data-place="0"]').hover();
  await expect(page.locator('.toast[data-place="3"]')).toHaveCSS("opacity", "1");
  const boxes = await Promise.all((await page.locator(".toast").all()).map((toast) => toast.boundingBox()));
  const tops = boxes.map((box) => box!.y);
  expect([...tops].sort((a, b) => b - a), "the newest is the lowest, and none covers another").toEqual(tops);
  await ada.page.locator(".pill-words").click();
  await expect(page.getByRole("dialog", { name: "Connection" }).locator(".log").last()).toContainText("Card archived.");
});

test("what a board has said does not stand on the next page: it may be true no more", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await archive(ada, "One");
  await page.context().setOffline(true);
  await expect(page.locator(".toast")).toHaveCount(2);
  await page.getByRole("link", { name: "All boards" }).click();
  await expect(page.getByRole("button", { name: "New board", exact: true })).toBeVisible();
  await expect(page.locator(".toast")).toHaveCount(0);
});

for (const [name, viewport] of [
  ["wide", { width: 1280, height: 720 }],
  ["narrow", { width: 390, height: 700 }],
] as const) {
  test(`what has the focus is never under a toast (${name})`, async ({ board, browser }) => {
    // Fifty-six cards are added by hand.
    test.slow();
    const ada = await Person.at(browser, board.editUrl, { viewport });
    const { page } = ada;
    for (const list of ["A", "B", "C", "D"]) {
      await ada.addList(list);
      await ada.addCards(list, ...Array.from({ length: 14 }, (_, n) => `${list}${n}`));
    }
    await ada.isSaved();
    await page.context().setOffline(true);
    await expect(page.locator(".toast")).toHaveCount(1);
    let covered = 0;
    for (let n = 0; n < 14; n++) {
      await ada.card(`D${n}`).getByRole("button", { name: `D${n}`, exact: true }).focus();
      const under = () =>
        page.evaluate(() => {
          const [focus, stack] = [document.activeElement!, document.querySelector(".toast")!].map((element) => element.getBoundingClientRect());
          return focus!.top < stack!.bottom && focus!.bottom > stack!.top && focus!.left < stack!.right && focus!.right > stack!.left;
        });
      await expect.poll(under).toBe(false);
      if (await page.locator(".toaster.away").count()) covered++;
    }
    expect(covered, "the stack had to go out of the way").toBeGreaterThan(0);
  });
}

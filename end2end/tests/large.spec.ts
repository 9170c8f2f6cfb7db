// A large board: what is far from the window sleeps, and nobody notices.
import { randomUUID } from "node:crypto";
import { fill } from "../support/fill.ts";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

const title = (n: number) => new RegExp(`^Card ${n}: `);

test("a card far from the window is on the page, shows what others do, and can be ticked once it is seen", async ({ board, browser, server }) => {
  const { wire, cards } = await fill(server.url, board.editKey, 400, ["To do"]);
  const ada = await Person.at(browser, board.editUrl);
  const last = ada.cards("To do").last();
  await expect(ada.cards("To do")).toHaveCount(400);
  await expect(ada.page.locator(".tick").last(), "it sleeps, as the server has drawn it").toBeDisabled();
  await expect(ada.page.locator(".tick").first()).toBeEnabled();

  await wire.offer({ kind: "set_urgent", card: cards[200], urgent: true });
  await expect(ada.page.locator(".card.urgent .card-open")).toHaveText(title(201));

  await last.scrollIntoViewIfNeeded();
  const bo = await Person.at(browser, board.editUrl);
  await ada.page.locator(".tick").last().check();
  await expect(bo.page.locator(".card.done .card-open")).toHaveText(title(400));
  await last.click();
  await expect(ada.page.getByRole("dialog", { name: "Card" }).getByLabel("Title")).toHaveValue(title(400));
});

test("on a board that was opened from the list of boards, all cards come to be there", async ({ board, browser, server }) => {
  await fill(server.url, board.editKey, 400, ["To do"]);
  const context = await browser.newContext();
  await (await Person.in(context, board.editUrl)).page.close();
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByRole("link", { name: "Untitled board" }).click();
  const ada = Person.on(page);
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveCount(400);
  await expect(ada.cards("To do").last()).toHaveText(title(400));
});

test("the keyboard goes to a card far away, and takes one through many others", async ({ board, browser, server }) => {
  await fill(server.url, board.editKey, 400, ["To do", "Doing"]);
  const ada = await Person.at(browser, board.editUrl);
  const focused = ada.page.locator(".card-open:focus");

  await ada.list("To do").getByRole("button", { name: "Add card" }).focus();
  await ada.page.keyboard.press("Shift+Tab");
  await expect(ada.page.locator(".tick").nth(199), "it wakes").toBeEnabled();
  await expect(focused).toHaveText(title(399));
  await ada.page.keyboard.press("ArrowRight");
  await expect(focused).toHaveText(title(400));

  await ada.cards("Doing").first().focus();
  for (let n = 1; n <= 20; n += 1) {
    await ada.page.keyboard.press("Alt+ArrowDown");
    await expect(ada.cards("Doing").nth(n)).toHaveText(title(2));
    await expect(focused).toHaveText(title(2));
  }
  await expect(ada.cards("Doing").nth(19)).toHaveText(title(42));
  await expect(ada.cards("Doing")).toHaveCount(200);
});

test("the keyboard stays on its card while others change the list around it", async ({ board, browser, server }) => {
  const { wire, lists, cards } = await fill(server.url, board.editKey, 64, ["To do", "Doing"]);
  const ada = await Person.at(browser, board.editUrl);
  const tick = ada.list("To do").locator(".tick").nth(30);
  await tick.scrollIntoViewIfNeeded();
  await tick.focus();
  const blocks = ada.list("To do").locator(".block");
  const before = await blocks.count();

  const [todo, doing] = lists;
  const more = Array.from({ length: 40 }, (_, n) => ({ card: randomUUID(), title: `More ${n}`, position: `c${String(n).padStart(2, "0")}V` }));
  await Promise.all(more.map((card) => wire.offer({ kind: "add_card", list: todo, ...card })));
  await expect(ada.cards("To do")).toHaveCount(72);
  expect(await blocks.count(), "its block was cut").toBeGreaterThan(before);
  await expect(tick).toBeFocused();

  await wire.offer({ kind: "move_card", card: cards[60], list: doing, position: "a0" });
  await expect(ada.cards("Doing").first()).toHaveText(title(61));
  await expect(ada.list("Doing").locator(".tick").first(), "it goes along").toBeFocused();
});

test("a card is dragged to a place far down a long list", async ({ board, browser, server }) => {
  await fill(server.url, board.editKey, 400, ["To do", "Doing"]);
  const ada = await Person.at(browser, board.editUrl);
  const bo = await Person.at(browser, board.editUrl);
  const place = ada.cards("Doing").nth(150);
  await place.scrollIntoViewIfNeeded();
  await expect(ada.list("Doing").locator(".tick").nth(150), "it wakes").toBeEnabled();
  await place.evaluate((card) => card.scrollIntoView({ block: "center" }));
  const [from, to] = [await ada.cards("To do").first().boundingBox(), await place.boundingBox()];
  if (!from || !to) throw new Error("they are drawn");
  const { mouse } = ada.page;
  await mouse.move(from.x + 20, from.y + from.height / 2);
  await mouse.down();
  await mouse.move(to.x + 20, to.y + 2, { steps: 8 });
  await mouse.up();
  await expect(bo.cards("Doing").nth(150)).toHaveText(title(1));
  await expect(bo.cards("Doing").nth(149)).toHaveText(title(300));
  await expect(bo.cards("Doing").nth(151)).toHaveText(title(302));
});

for (const width of [1280, 390]) {
  test(`cards that are added to a long list are seen, in a window ${width} wide`, async ({ board, browser, server }) => {
    await fill(server.url, board.editKey, 50, ["To do"]);
    const ada = await Person.at(browser, board.editUrl);
    await ada.page.setViewportSize({ width, height: 844 });
    await ada.list("To do").getByRole("button", { name: "Add card" }).click();
    for (const text of ["One more", "And another"]) {
      await ada.page.getByLabel("New card").fill(text);
      await ada.page.getByLabel("New card").press("Enter");
      await expect(ada.card(text)).toBeInViewport({ ratio: 0.9 });
      await expect(ada.page.getByLabel("New card")).toBeInViewport({ ratio: 1 });
    }
  });
}

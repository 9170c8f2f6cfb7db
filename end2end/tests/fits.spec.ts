// What a page looks like on any screen, in any script, and on paper.
import { expect, test } from "../support/fixtures.ts";
import { createBoard } from "../support/board.ts";
import { Person } from "../support/person.ts";

test("no page is larger than its window, and the connection panel is whole, on any screen", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.page.evaluate(() => (document.activeElement as HTMLElement).blur());
  const { page } = ada;
  const sizes = [[320, 568], [360, 640], [390, 844], [640, 480], [1280, 720]] as const;
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height });
    const over = await page.evaluate(() => {
      const root = document.documentElement;
      return [root.scrollWidth - root.clientWidth, root.scrollHeight - root.clientHeight];
    });
    expect(over, `at ${width}`).toEqual([0, 0]);
    await page.locator(".pill-words").click();
    const panel = page.locator(".panel");
    await expect(panel).toBeVisible();
    const box = (await panel.boundingBox())!;
    expect(box.x, `at ${width}`).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width, `at ${width}`).toBeLessThanOrEqual(width);
    expect(box.y + box.height, `at ${width}`).toBeLessThanOrEqual(height);
    expect(await panel.evaluate((panel) => panel.scrollWidth - panel.clientWidth), `at ${width}`).toBeLessThanOrEqual(0);
    await page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
  }
  await page.goto(sharedServer.url);
  await expect(page.locator(".recent a")).toBeVisible();
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over, `at ${width}`).toBe(0);
  }
});

test("on a phone, “View only” takes no room from the board's title", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const widths = [];
  for (const url of [board.editUrl, board.viewUrl]) {
    const person = await Person.at(browser, url, { viewport: { width: 390, height: 844 } });
    const title = person.page.locator(".board-title");
    await expect(person.page.locator(".topbar > .badge")).toHaveCount(url === board.viewUrl ? 1 : 0);
    widths.push((await title.locator(".in-place").boundingBox())!.width);
  }
  expect(widths[1]).toBe(widths[0]);
});

test("a tick box is as dark as the page around it", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl, { colorScheme: "dark" });
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  const tick = ada.card("One").getByRole("checkbox");
  await expect(tick, "the browser's own may be white").toHaveCSS("appearance", "none");
  await expect(tick).toHaveCSS("background-color", "rgb(26, 28, 31)");
  await tick.check();
  await expect(tick).toHaveCSS("background-color", "rgb(88, 194, 189)");
});

test("titles, notes and labels in Hebrew and Arabic begin at the right", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("רשימת קניות");
  await ada.addCards("רשימת קניות", "חלב ולחם", "Milk");
  const details = await ada.open("חלב ולחם");
  await details.getByLabel("Notes").fill("اشتر الخبز");
  await expect(details.getByLabel("Notes")).toHaveCSS("direction", "rtl");
  await expect(details.getByLabel("Title")).toHaveCSS("direction", "rtl");
  await details.getByLabel("Add a label").fill("דחוף");
  await details.getByLabel("Add a label").press("Enter");
  await details.getByRole("button", { name: "Close" }).click();
  const card = ada.card("חלב ולחם");
  for (const part of [".card-open", ".card-notes", ".label"]) await expect(card.locator(part), part).toHaveCSS("direction", "rtl");
  await expect(ada.page.locator(".list-title button")).toHaveCSS("direction", "rtl");
  await expect(ada.card("Milk").locator(".card-open")).toHaveCSS("direction", "ltr");
});

test("the whole board is printed, its notes too", async ({ browser, sharedServer }) => {
  const board = await createBoard(sharedServer.url);
  const ada = await Person.at(browser, board.editUrl, { colorScheme: "dark", viewport: { width: 800, height: 400 } });
  await ada.addList("To do");
  await ada.addCards("To do", ...Array.from({ length: 40 }, (_, n) => `Card ${n + 1}`));
  for (const title of ["B", "C", "D", "E"]) await ada.addList(title);
  const details = await ada.open("Card 1");
  await details.getByLabel("Notes").fill(Array.from({ length: 12 }, (_, n) => `Line ${n + 1}`).join("\n"));
  await details.getByRole("button", { name: "Close" }).click();
  await ada.isSaved();
  await ada.page.emulateMedia({ media: "print" });
  const hidden = await ada.page.evaluate(() => {
    const cut = (element: Element) => element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1;
    const parts = [...document.querySelectorAll(".app, .board, .lists, .list, .cards, .card-notes")];
    return parts.filter((part) => getComputedStyle(part).overflow !== "visible" && cut(part)).map((part) => part.className);
  });
  expect(hidden).toEqual([]);
  await expect(ada.cards("To do")).toHaveCount(40);
  for (const what of [".topbar-end", ".add-card", ".new-list", ".list-head .menu"]) await expect(ada.page.locator(what).first(), what).toBeHidden();
  await expect(ada.page.locator("body")).toHaveCSS("background-color", "rgb(255, 255, 255)");
  const paper = (await ada.page.pdf({ format: "A5" })).toString("latin1");
  expect(paper.match(/\/Type\s*\/Page\b/g)!.length, "more than one page").toBeGreaterThan(1);
});

import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("a board is readable before any script runs, and without scripts", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Book the hall");
  const details = await ada.open("Book the hall");
  const words = Array.from({ length: 40 }, (_, n) => `Line ${n + 1}`).join("\n");
  await details.getByLabel("Notes").fill(words);
  await details.getByRole("button", { name: "Close" }).click();
  await ada.isSaved();

  const html = await (await fetch(board.editUrl)).text();
  expect(html).toContain("Book the hall");
  expect(html).toContain("Line 40");

  const reader = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await reader.goto(board.editUrl);
  await expect(reader.getByText("Book the hall")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Share" })).toBeHidden();

  // Nothing is there to be pressed that would do nothing.
  const controls = reader.locator("button:visible, summary:visible, input:visible, select:visible, textarea:visible");
  for (const control of await controls.all()) {
    const pressable = (await control.isEnabled()) && (await control.evaluate((it) => getComputedStyle(it).pointerEvents !== "none"));
    expect(pressable, `${await control.getAttribute("class")}: ${await control.textContent()}`).toBe(false);
  }
  await reader.goto(new URL("/", board.editUrl).href);
  await expect(reader.getByText("Turn them on for this site.")).toBeVisible();
  await expect(controls).toHaveCount(0);
});

test("the page that arrives is the page that comes alive", async ({ board, page }) => {
  const warnings: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
  });
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.isSaved();
  await page.reload();
  await ada.isSaved();
  await ada.addCards("To do", "Two");
  await expect(ada.cards("To do")).toHaveText(["One", "Two"]);
  expect(warnings).toEqual([]);
});

import { chromium } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("a page that comes out of the back-forward cache goes on where it was", async ({ board, browser, server }) => {
  const { launchOptions } = test.info().project.use;
  // Playwright turns the cache off.
  const cached = await chromium.launch({ ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  const page = await (await cached.newContext()).newPage();
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.isSaved();
  await ada.addList("To do");
  await ada.addCards("To do", "Before");
  await ada.isSaved();
  await page.evaluate(() => {
    addEventListener("pageshow", (event) => void (document.documentElement.dataset["persisted"] = String(event.persisted)));
  });
  await page.goto(`${server.url}/`);
  const bo = await Person.at(browser, board.editUrl);
  await bo.addCards("To do", "Meanwhile");
  await bo.isSaved();

  await page.goBack();
  await expect(page.locator("html")).toHaveAttribute("data-persisted", "true");
  await expect(ada.cards("To do")).toHaveText(["Before", "Meanwhile"]);
  await ada.addCards("To do", "Back");
  await ada.isSaved();
  await expect(bo.cards("To do")).toHaveText(["Before", "Meanwhile", "Back"]);
  await cached.close();
});

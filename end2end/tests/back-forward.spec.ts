import { chromium } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("a page that comes out of the back-forward cache goes on where it was", async ({ board, browser, server }) => {
  const { launchOptions } = test.info().project.use;
  // Playwright turns the cache off. A page that was fetched for the browser counts as from afar, and may not ask a server at home.
  const args = [...(launchOptions?.args ?? []), "--disable-features=LocalNetworkAccessChecks"];
  const cached = await chromium.launch({ ...launchOptions, args, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  const page = await (await cached.newContext()).newPage();
  // Boards are not to be stored, and Chromium holds that against a page with a socket. Others do not.
  await page.route(board.editUrl, async (route) => {
    const response = await route.fetch();
    const { "content-encoding": _encoding, "content-length": _length, ...headers } = response.headers();
    await route.fulfill({ response, headers: { ...headers, "cache-control": "no-cache" } });
  });
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

  // Playwright waits for a load that does not come.
  await page.evaluate(() => history.back());
  await expect(page.locator("html")).toHaveAttribute("data-persisted", "true");
  await expect(ada.cards("To do")).toHaveText(["Before", "Meanwhile"]);
  await ada.addCards("To do", "Back");
  await ada.isSaved();
  await expect(bo.cards("To do")).toHaveText(["Before", "Meanwhile", "Back"]);
  await cached.close();
});

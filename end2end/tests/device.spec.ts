import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "@playwright/test";
import { holdDatabase, holdTransactions } from "../support/device.ts";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";
import { watch, watched } from "../support/watch.ts";

/** What the device keeps of unsaved changes: in localStorage, and in IndexedDB. */
async function kept(page: Page): Promise<{ first: number; second: number }> {
  return await page.evaluate(async () => {
    const first = Object.keys(localStorage).filter((name) => name.startsWith("sheetbend/outbox/")).length;
    const second = await new Promise<number>((resolve, reject) => {
      const request = indexedDB.open("sheetbend");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const count = request.result.transaction("outbox").objectStore("outbox").count();
        count.onsuccess = () => {
          request.result.close();
          resolve(count.result);
        };
      };
    });
    return { first, second };
  });
}

test("y-indexeddb 28: an edit made in the same moment as a reload is kept", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.isSaved();
  await server.kill();
  // There is no server to load it from: the page gives way to the service worker's, or to the browser's own.
  await Promise.all([
    page.waitForEvent("framenavigated"),
    page.evaluate(() => {
      document.querySelector<HTMLInputElement>(".card input[type=checkbox]")!.click();
      location.reload();
    }),
  ]);
  await server.restart();
  await page.goto(board.editUrl);
  await ada.isSaved();
  await expect(ada.card("One").getByRole("checkbox")).toBeChecked();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.card("One").getByRole("checkbox")).toBeChecked();
});

test("the browser's process is killed right after an edit: the edit is kept, and sent when it is back", async ({ board, browser, server }) => {
  const profile = await mkdtemp(join(tmpdir(), "sheetbend-profile-"));
  const { launchOptions } = test.info().project.use;
  const launch = (): Promise<BrowserContext> => chromium.launchPersistentContext(profile, launchOptions ?? {});
  const ada = await Person.in(await launch(), board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "The last words");
  execFileSync("pkill", ["-KILL", "-f", profile]);

  await server.restart();
  const context = await launch();
  const again = await Person.in(context, board.editUrl);
  await expect(again.cards("To do")).toHaveText(["The last words"]);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["The last words"]);
  await context.close();
  await rm(profile, { recursive: true, force: true });
});

test("instantdb 2854: a change is one record, first in the quick storage and then for good", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.isSaved();
  await expect.poll(() => kept(page)).toEqual({ first: 0, second: 0 });
  await server.kill();
  await ada.addCards("To do", "One", "Two", "Three");
  await expect.poll(() => kept(page)).toEqual({ first: 0, second: 3 });
  await server.restart();
  await ada.isSaved();
  await expect.poll(() => kept(page)).toEqual({ first: 0, second: 0 });
});

for (const [name, breaking] of [
  ["does not open", () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  }],
  ["tldraw 10136: goes away while the page is open", () => {
    const begin = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...args: Parameters<typeof begin>) {
      if (sessionStorage.getItem("gone")) throw new DOMException("The database connection is closing.", "InvalidStateError");
      return begin.apply(this, args);
    };
  }],
] as const) {
  test(`IndexedDB ${name}: changes are kept all the same`, async ({ board, browser, server }) => {
    const context = await browser.newContext();
    await context.addInitScript(breaking);
    const ada = await Person.in(context, board.editUrl);
    const { page } = ada;
    await ada.addList("To do");
    await ada.isSaved();
    await page.evaluate(() => sessionStorage.setItem("gone", "yes"));
    await server.kill();
    await ada.addCards("To do", "One", "Two");
    await expect(page.getByText("Changes can't be kept on this device")).toBeHidden();
    await page.close();
    await server.restart();
    const again = await Person.in(context, board.editUrl);
    await expect(again.cards("To do")).toHaveText(["One", "Two"]);
  });
}

/** A device that keeps nothing, for as long as `full` is in its session. */
const keepsNothing = (): void => {
  const set = Storage.prototype.setItem;
  const begin = IDBDatabase.prototype.transaction;
  const full = (): boolean => document.documentElement.dataset["full"] === "yes";
  Storage.prototype.setItem = function (name: string, value: string) {
    if (full()) throw new DOMException("full", "QuotaExceededError");
    set.call(this, name, value);
  };
  IDBDatabase.prototype.transaction = function (...args: Parameters<typeof begin>) {
    const transaction = begin.apply(this, args);
    if (full() && transaction.mode === "readwrite") queueMicrotask(() => transaction.abort());
    return transaction;
  };
};

for (const [title, hold] of [
  ["the device takes its time: the page says so, and what waits there is sent once it answers", holdDatabase],
  ["the device opens its database and answers nothing: what waits there is sent once it answers", holdTransactions],
] as const) {
  test(title, async ({ board, browser, server }) => {
    const context = await browser.newContext();
    const ada = await Person.in(context, board.editUrl);
    await ada.addList("To do");
    await ada.isSaved();
    await server.kill();
    await ada.addCards("To do", "Waiting");
    await expect.poll(() => kept(ada.page)).toEqual({ first: 0, second: 1 });
    await ada.page.close();
    await server.restart();

    const other = await context.newPage();
    await other.goto(new URL("/api/ping", board.editUrl).href);
    const release = await hold(other);
    const again = Person.on(await context.newPage());
    await again.page.goto(board.editUrl);
    await watch(again.page);
    await expect(again.page.locator(".pill")).toHaveAttribute("data-state", "reading");
    await expect(again.card("Waiting")).toHaveCount(0);
    const { states } = await watched(again.page);
    expect(states.map(({ state }) => state), "nobody knows yet whether all is").not.toContain("saved");
    // The line goes and comes back meanwhile: that is said of it, and no more.
    await context.setOffline(true);
    await expect(again.page.locator(".toast")).toContainText("You're offline.");
    await context.setOffline(false);
    await expect(again.page.locator(".toast")).toContainText("You're back online!");
    await expect(again.page.locator(".pill")).toHaveAttribute("data-state", "reading");
    await release();
    await expect(again.card("Waiting")).toBeVisible();
    await again.isSaved();
    const bo = await Person.at(browser, board.editUrl);
    await expect(bo.cards("To do")).toHaveText(["Waiting"]);
  });
}

test("the device answers nothing: work goes on, is saved, and is in the device's outbox once it answers", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  const ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  const other = await context.newPage();
  await other.goto(new URL("/api/ping", board.editUrl).href);
  const release = await holdTransactions(other);
  await ada.addCards("To do", "One");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Two");
  await ada.keeps(1);
  await release();
  await expect.poll(() => kept(ada.page)).toEqual({ first: 0, second: 1 });
  await server.restart();
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["One", "Two"]);
});

test("the server is away and the device answers nothing: the page says so, and shows the board once the device answers", async ({
  board,
  browser,
  server,
}) => {
  const context = await browser.newContext();
  const ada = await Person.in(context, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.isSaved();
  await page.getByRole("link", { name: "All boards" }).click();
  await expect(page.locator(".recent-title")).toHaveCount(1);
  const other = await context.newPage();
  await other.goto(new URL("/api/ping", board.editUrl).href);
  const release = await holdTransactions(other);
  await server.kill();
  await page.locator(".recent-title").click();
  await expect(page.getByRole("heading", { name: "This board can't be opened just now" })).toBeVisible();
  await expect(page.getByText("Still looking whether this device has it…")).toBeVisible();
  await release();
  await expect(ada.list("To do")).toBeVisible();
});

test("the device keeps nothing: the page says so in red, goes on, and gives the changes out as a file that any device takes in once", async ({
  board,
  browser,
  server,
}) => {
  const context = await browser.newContext();
  await context.addInitScript(keepsNothing);
  const ada = await Person.in(context, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await page.evaluate(() => {
    document.documentElement.dataset["full"] = "yes";
  });
  await ada.addCards("To do", "One", "Two");
  const banner = page.locator('[data-strip="unkept"]').filter({ hasText: "Changes can't be kept on this device" });
  await expect(banner).toBeVisible();
  const [download] = await Promise.all([page.waitForEvent("download"), banner.getByRole("button", { name: "Export" }).click()]);
  const file = await readFile(await download.path());
  await page.close({ runBeforeUnload: false });

  await server.restart();
  const bo = await Person.at(browser, board.editUrl);
  for (const _ of [1, 2]) {
    await bo.page.getByLabel("Import unsent changes").setInputFiles({ name: "unsent.json", mimeType: "application/json", buffer: file });
    await expect(bo.page.locator(".toast").first()).toContainText("2 changes taken in");
    await bo.isSaved();
  }
  await expect(bo.cards("To do")).toHaveText(["One", "Two"]);
  const other = await Person.at(browser, board.editUrl);
  await expect(other.cards("To do")).toHaveText(["One", "Two"]);
});

test("the device keeps nothing: who leaves the board for the list of boards loses nothing", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  await context.addInitScript(keepsNothing);
  const ada = await Person.in(context, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await page.evaluate(() => {
    document.documentElement.dataset["full"] = "yes";
  });
  await ada.addCards("To do", "Left", "behind");
  await page.getByRole("link", { name: "All boards" }).click();
  await expect(page.getByRole("heading", { name: "Sheetbend" })).toBeVisible();
  let asked = 0;
  page.on("dialog", (dialog) => {
    asked += 1;
    void dialog.dismiss();
  });
  await page.reload({ timeout: 1_000 }).catch(() => {});
  expect(asked, "the browser asks before the page goes").toBe(1);
  await page.evaluate(() => history.back());
  await server.restart();
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["Left", "behind"]);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Left", "behind"]);
});

test("the device keeps nothing: a board that was left is saved when the server is back", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  await context.addInitScript(keepsNothing);
  const ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.page.evaluate(() => {
    document.documentElement.dataset["full"] = "yes";
  });
  await ada.addCards("To do", "Left");
  await ada.page.getByRole("link", { name: "All boards" }).click();
  await expect(ada.page.getByRole("heading", { name: "Sheetbend" })).toBeVisible();
  await server.restart();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Left"], { timeout: 40_000 });
  await ada.page.reload();
  await expect(ada.page.getByRole("heading", { name: "Sheetbend" }), "nothing is asked").toBeVisible();
});

test("the browser denies locks: what is made is sent at once, and not after the time limit for a lock", async ({ board, browser }) => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    // As Firefox does where cookies are blocked. The page before the first has no locks.
    const request = () => Promise.reject(new DOMException("denied", "SecurityError"));
    if ("locks" in navigator) Object.defineProperty(navigator.locks, "request", { value: request });
  });
  const ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  // A tab that waits for a lock steals it after five seconds, and goes on without an answer after three more.
  await expect(ada.page.locator('.pill[data-state="saved"]')).toBeVisible({ timeout: 4_000 });
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.list("To do")).toBeVisible();
});

test("storage that is full for a while: when it has room again, the banner goes and the changes are kept", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  await context.addInitScript(keepsNothing);
  const ada = await Person.in(context, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  const fill = (full: string): Promise<void> => page.evaluate((full) => void (document.documentElement.dataset["full"] = full), full);
  await fill("yes");
  await ada.addCards("To do", "One");
  const banner = page.locator('[data-strip="unkept"]');
  await expect(banner).toBeVisible();
  await fill("no");
  await expect(banner).toBeHidden();
  await expect.poll(() => kept(page)).toEqual({ first: 0, second: 1 });
  await page.close();
  await server.restart();
  const again = await Person.in(context, board.editUrl);
  await expect(again.cards("To do")).toHaveText(["One"]);
});

test("a board is made while the server is away, and is there for everyone when it is back", async ({ browser, server }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await expect(page.getByText("Boards you open on this device are listed here.")).toBeVisible();
  await server.kill();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  const ada = Person.on(page);
  await ada.addList("To do");
  await ada.addCards("To do", "Made in the dark");
  await Person.on(page).keeps(2);
  const url = page.url();
  await server.restart();
  await ada.isSaved();
  const bo = await Person.at(browser, url);
  await expect(bo.cards("To do")).toHaveText(["Made in the dark"]);
});

test("a board that was made offline, and whose page is loaded before the server knows it, is there", async ({ browser, server }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(server.url);
  await expect(page.getByText("Boards you open on this device are listed here.")).toBeVisible();
  await server.kill();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  const ada = Person.on(page);
  await ada.addList("To do");
  const url = page.url();
  await page.close();
  await server.restart();
  const again = await Person.in(context, url);
  await expect(again.list("To do")).toBeVisible();
  const bo = await Person.at(browser, url);
  await expect(bo.list("To do")).toBeVisible();
});

test("a server put back to an older copy before the page is loaded anew gets back what the device still holds", async ({
  board,
  browser,
  server,
}) => {
  const context = await browser.newContext();
  const ada = await Person.in(context, board.editUrl);
  const { page } = ada;
  await ada.addList("To do");
  await ada.addCards("To do", "Before the backup");
  await ada.isSaved();
  const copy = await server.copy();
  await ada.isSaved();
  await ada.addCards("To do", "After the backup");
  await ada.isSaved();
  await expect.poll(() => kept(page)).toEqual({ first: 0, second: 0 });
  await page.close();

  await server.putBack(copy);
  const again = await Person.in(context, board.editUrl);
  await expect(again.cards("To do")).toHaveText(["Before the backup", "After the backup"]);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Before the backup", "After the backup"]);
});

test("the board's key is replaced while changes wait: the page says so, keeps them, and gives them out", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Written behind a closed door");
  // As an owner does it who puts a new key in the old one's place.
  await server.sql("delete from keys where access = 'edit'");
  await server.restart();
  const ended = ada.page.locator('[data-strip="ended"]');
  await expect(ended).toContainText("This link opens no board", { timeout: 30_000 });
  await expect(ended).toContainText("1 change is kept on this device.");
  await ada.keeps(1, "ended");
  const [download] = await Promise.all([
    ada.page.waitForEvent("download"),
    ended.getByRole("button", { name: "Export" }).click(),
  ]);
  expect(await readFile(await download.path(), "utf8")).toContain("Written behind a closed door");
});

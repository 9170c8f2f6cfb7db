// A program that panics, traps, or does not arrive: the page says so at once, by itself, and what was kept is kept.
import { type Page } from "@playwright/test";
import { isAccessible } from "../support/axe.ts";
import { allowErrors, expect, NETWORK, status, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

const notice = (page: Page) => page.locator(".notice");

/** What the ways to stop a program log. */
const STOPPING = /panicked at|unreachable|Seeded/;

/** From here on nothing new can be drawn: the program panics at the next part that it makes. */
async function seedPanic(page: Page): Promise<void> {
  allowErrors(STOPPING);
  await page.evaluate(() => {
    const fail = () => {
      throw new Error("Seeded");
    };
    Document.prototype.createElement = fail;
    Node.prototype.cloneNode = fail;
  });
}

/** A trap that no panic comes before. */
async function trap(page: Page, how: "in a task" | "in a promise"): Promise<void> {
  allowErrors(STOPPING);
  await page.evaluate(async (how) => {
    const unreachable = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11];
    const { instance } = await WebAssembly.instantiate(new Uint8Array(unreachable));
    const run = instance.exports["f"] as () => void;
    if (how === "in a task") setTimeout(run);
    else void Promise.resolve().then(run);
  }, how);
}

async function saysStopped(page: Page): Promise<void> {
  await expect(notice(page).getByRole("alert")).toHaveText(
    "This page stopped because of an error in it. Your changes are kept on this device. Reload to go on.",
  );
  await expect(page.locator(".pill")).toHaveAttribute("data-state", "stopped");
  await expect(page.locator(".pill")).toHaveText("Stopped");
  await expect(page.locator(".indicator, .toaster, .mark, .retry")).toHaveCount(0);
}

async function reload(page: Page): Promise<void> {
  await Promise.all([page.waitForEvent("load"), notice(page).getByRole("button", { name: "Reload" }).click()]);
}

test("a panic: the page says that it stopped and what is kept, nothing else stands, and a reload goes on", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.kill();
  await ada.addCards("To do", "Kept");
  await ada.keeps(1, "unreachable");
  await seedPanic(ada.page);
  await ada.page.getByRole("button", { name: "Add card" }).click();
  await saysStopped(ada.page);

  // A tick that nobody keeps is not shown.
  await ada.card("Kept").getByRole("checkbox").click({ force: true });
  await expect(ada.card("Kept").getByRole("checkbox")).not.toBeChecked();

  await server.restart();
  await reload(ada.page);
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Kept"]);
});

test("a panic while someone types in a dialog: text and focus stay, and Reload can be reached by key and pointer", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.isSaved();
  const details = await ada.open("One");
  const notes = details.getByLabel("Notes");
  await notes.pressSequentially("Half a sen");
  await seedPanic(ada.page);
  await ada.page.evaluate(() => document.querySelector<HTMLElement>(".pill-open")!.click());
  await saysStopped(ada.page);
  await expect(notes).toBeFocused();
  await ada.page.keyboard.type("tence");
  await expect(notes).toHaveValue("Half a sen");
  for (let presses = 0; presses < 30; presses += 1) {
    await ada.page.keyboard.press("Tab");
    if (await notice(ada.page).getByRole("button").evaluate((button) => button === document.activeElement)) break;
  }
  await expect(notice(ada.page).getByRole("button", { name: "Reload" })).toBeFocused();
  await reload(ada.page);
  await ada.isSaved();
});

for (const how of ["in a task", "in a promise"] as const) {
  test(`a trap ${how} without a panic stops the page`, async ({ board, browser }) => {
    const ada = await Person.at(browser, board.editUrl);
    await trap(ada.page, how);
    await saysStopped(ada.page);
    await isAccessible(ada.page, "stopped");
    await reload(ada.page);
    await ada.isSaved();
  });
}

test("an exception that goes through the program stops the page", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.page.getByRole("button", { name: "Add list" }).click();
  allowErrors(STOPPING);
  await ada.page.evaluate(() => {
    Event.prototype.stopPropagation = () => {
      throw new Error("Seeded");
    };
  });
  await ada.page.getByLabel("New list").press("a");
  await saysStopped(ada.page);
});

test("an error of somebody else's script does not stop the page", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  allowErrors(/Not ours/);
  await ada.page.evaluate(() => {
    setTimeout(() => {
      throw new Error("Not ours");
    });
    void Promise.reject(new Error("Not ours"));
  });
  await ada.addList("To do");
  await ada.isSaved();
  await expect(notice(ada.page)).toHaveCount(0);
});

test("a panic in the page that opens without a network is seen as well", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await ada.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await server.kill();
  await ada.page.reload();
  await expect(ada.list("To do")).toBeVisible({ timeout: 20_000 });
  await expect(ada.page.locator("html")).toHaveAttribute("data-shell");
  await seedPanic(ada.page);
  await ada.page.getByRole("button", { name: "Add card" }).click();
  await saysStopped(ada.page);
});

test("a program that does not hydrate the page mounts it anew", async ({ board, browser }) => {
  const bo = await Person.at(browser, board.editUrl);
  await bo.addList("To do");
  await bo.isSaved();
  allowErrors(STOPPING);
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const { get } = Object.getOwnPropertyDescriptor(Node.prototype, "nextSibling")!;
    let times = 0;
    Object.defineProperty(Node.prototype, "nextSibling", {
      get() {
        times += 1;
        if (times === 3) throw new Error("Seeded");
        return get!.call(this);
      },
    });
  });
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.isSaved();
  await expect(page.locator("html")).toHaveAttribute("data-mounted");
  await ada.addCards("To do", "One");
  await expect(bo.cards("To do")).toHaveText(["One"]);
  await expect(notice(page)).toHaveCount(0);
});

test.describe("a program that does not arrive", () => {
  const without: Record<string, (page: Page) => Promise<void>> = {
    "not found": async (page) => {
      allowErrors(status(404), /\.wasm: 404/);
      await page.route("**/*.wasm", (route) => route.fulfill({ status: 404 }));
    },
    "a script that is not found": async (page) => {
      allowErrors(status(404), /\.js: 404/);
      await page.route("**/pkg/*.js", (route) => route.fulfill({ status: 404 }));
    },
    "a proxy's page in its place": async (page) => {
      allowErrors(/WebAssembly\.compile/);
      await page.route("**/*.wasm", (route) => route.fulfill({ body: "<html>Blocked</html>", contentType: "text/html" }));
    },
    "cut off": async (page) => {
      allowErrors(/WebAssembly\.compile/);
      await page.route("**/*.wasm", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.body()).subarray(0, 10_000), headers: { "content-type": "application/wasm" } });
      });
    },
  };
  for (const [name, make] of Object.entries(without)) {
    test(`${name}: the page says what can still be done`, async ({ board, page }) => {
      await make(page);
      await page.goto(board.editUrl);
      await expect(notice(page).getByRole("alert")).toHaveText(
        "This page's program could not be loaded. You can read this page, but not change it. Reload to try again.",
      );
      await expect(page.locator(".pill")).toHaveText("Stopped");
      await page.unrouteAll();
      await reload(page);
      await Person.on(page).isSaved();
    });
  }

  test("no WebAssembly: the page says so", async ({ board, page }) => {
    allowErrors(/WebAssembly/);
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
    await page.goto(board.editUrl);
    await expect(notice(page).getByRole("alert")).toHaveText(
      "This browser does not run WebAssembly. You can read this page, but not change it. Allow WebAssembly for this site or use another browser, then reload.",
    );
    await isAccessible(page, "no WebAssembly");
  });

  for (const file of ["*.wasm", "pkg/*.js"]) {
    test(`no network for ${file}: it is said, and it goes on by itself`, async ({ board, page }) => {
      allowErrors(NETWORK);
      await page.route(`**/${file}`, (route) => route.abort());
      await page.goto(board.editUrl);
      await expect(notice(page).getByRole("alert")).toContainText("has not arrived yet");
      await page.unrouteAll();
      const ada = Person.on(page);
      await ada.isSaved();
      await expect(notice(page)).toHaveCount(0);
      await ada.addList("To do");
      await ada.isSaved();
    });
  }
});

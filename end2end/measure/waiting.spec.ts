import { expect, test } from "../support/fixtures.ts";
import { Chaos } from "../support/chaos.ts";
import { newId } from "../support/wire.ts";
import { Person } from "../support/person.ts";

const QUEUED = 100;

/** The time until the pill says that all is saved, in milliseconds: from the `online` event, if there is one, else from `begin`. */
async function untilSaved(ada: Person, begin: () => Promise<void>, fromItsEnd = false): Promise<number> {
  await ada.page.evaluate(() => {
    const pill = document.querySelector(".pill")!;
    const page = window as unknown as { savedAt: number | undefined; onlineAt: number | undefined };
    page.savedAt = page.onlineAt = undefined;
    addEventListener("online", () => (page.onlineAt = performance.now()));
    new MutationObserver(() => {
      if (pill.getAttribute("data-state") === "saved") page.savedAt = performance.now();
    }).observe(pill, { attributes: true });
  });
  const now = () => ada.page.evaluate(() => performance.now());
  let before = await now();
  await begin();
  if (fromItsEnd) before = await now();
  await ada.isSaved();
  return await ada.page.evaluate((before) => {
    const page = window as unknown as { savedAt: number; onlineAt: number | undefined };
    return page.savedAt - (page.onlineAt ?? before);
  }, before);
}

async function queue(ada: Person, count: number): Promise<void> {
  await ada.addCards("To do", ...Array.from({ length: count }, (_, n) => `Card ${n + 1}`));
}

test("100 queued changes: from the online event until all is saved", async ({ board, browser, server }) => {
  const chaos = await Chaos.start(server.url);
  const ada = await Person.at(browser, `${chaos.url}/b/${board.editKey}`);
  await ada.addList("To do");
  await ada.isSaved();
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await ada.page.context().setOffline(true);
    await chaos.set({ fault: "offline" });
    await queue(ada, QUEUED);
    await ada.keeps(QUEUED, "offline");
    await chaos.clear();
    times.push(await untilSaved(ada, () => ada.page.context().setOffline(false)));
  }
  console.log(`online event → 100 changes saved: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(", ")}`);
  await chaos.dispose();
});

for (const [name, gone] of [
  ["is restarted with 100 changes waiting for it", false],
  ["comes back, having been away while 100 changes were made", true],
] as const) {
  test(`the server ${name}: from then until all is saved`, async ({ board, browser, server }) => {
    const chaos = await Chaos.start(server.url);
    const ada = await Person.at(browser, `${chaos.url}/b/${board.editKey}`);
    await ada.addList("To do");
    await ada.isSaved();
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      if (gone) await server.kill();
      else server.stall();
      await queue(ada, QUEUED);
      await expect(ada.page.locator(".pill")).toContainText(String(QUEUED));
      // As with the network, the time is from its being there again: the process has been started, and listens.
      times.push(await untilSaved(ada, () => server.restart(), true));
    }
    console.log(`the server ${name} → all saved: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(", ")}`);
    await chaos.dispose();
  });
}

test("10,000 queued changes: from the page's script running until it is ready", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(board.editUrl);
  const ada = Person.on(page);
  await ada.addList("To do");
  await ada.isSaved();
  await page.goto(`${server.url}/favicon.svg`);
  const records = Array.from({ length: 10_000 }, (_, n) => {
    const id = newId();
    return [`${board.id}/${id}`, JSON.stringify({ id, change: { kind: "rename_board", title: `Day ${n}` }, made_at: n })] as const;
  });
  await page.evaluate(async (records) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("sheetbend");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const transaction = database.transaction("outbox", "readwrite");
    for (const [key, value] of records) transaction.objectStore("outbox").put(value, key);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    database.close();
  }, records);
  await context.addInitScript(() => {
    const page = window as unknown as { all?: number };
    const look = (): void => {
      const title = document.querySelector(".board-title")?.textContent ?? "";
      if (title.includes("Day 9999")) page.all = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const times: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    await server.restart();
    await page.goto(board.editUrl);
    await expect(page.locator(".board-title")).toContainText("Day 9999");
    const [script, all] = await page.evaluate(() => {
      const wasm = performance.getEntriesByType("resource").find((entry) => entry.name.endsWith(".wasm")) as PerformanceResourceTiming;
      return [wasm.responseEnd, (window as unknown as { all: number }).all];
    });
    times.push(`${(all! - script!).toFixed(0)} ms`);
    await server.kill();
    await page.goto("about:blank");
  }
  await server.restart();
  await page.goto(board.editUrl);
  console.log(`10,000 queued: wasm arrived → all of them shown: ${times.join(", ")}`);
  const start = Date.now();
  await expect(page.locator('.pill[data-state="saved"]')).toBeVisible({ timeout: 120_000 });
  console.log(`10,000 queued: all saved ${Date.now() - start} ms after that`);
});

import type { Page } from "@playwright/test";

/**
 * Keeps every other page of the site waiting for its database: a newer version is asked for behind a connection that does not give way,
 * and whoever opens the database after that waits in line. `page` must be of the same origin. Returns what lets them in; the database is then as it was.
 */
export async function holdDatabase(page: Page): Promise<() => Promise<void>> {
  const held = await page.evaluateHandle(async () => {
    const opened = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("sheetbend");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => resolve(request.result);
    });
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open("sheetbend", opened.version + 1);
      request.onblocked = () => resolve();
      request.onerror = () => reject(request.error);
      request.onupgradeneeded = () => request.transaction!.abort();
    });
    return opened;
  });
  return async () => await held.evaluate((opened) => opened.close());
}

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

/**
 * Keeps every page of the site waiting for what it asks of its database, which opens all the same: a transaction of `page` goes on and on, as
 * one does whose page is in WebKit's back-forward cache. `page` must be of the same origin. Returns what ends it; nothing was written then.
 */
export async function holdTransactions(page: Page): Promise<() => Promise<void>> {
  const held = await page.evaluateHandle(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("sheetbend");
      request.onerror = () => reject(request.error);
      request.onsuccess = () => resolve(request.result);
    });
    const transaction = database.transaction([...database.objectStoreNames], "readwrite");
    const store = transaction.objectStore("documents");
    const ended = new Promise<void>((resolve) => (transaction.onabort = () => resolve()));
    // A transaction lives for as long as it has requests. A large record keeps each of them busy for a while.
    store.put("x".repeat(4_000_000), "held");
    await new Promise<void>((resolve) => {
      const again = (): void => {
        store.get("held").onsuccess = () => {
          resolve();
          again();
        };
      };
      again();
    });
    return { transaction, database, ended };
  });
  return async () =>
    await held.evaluate(async ({ transaction, database, ended }) => {
      transaction.abort();
      await ended;
      database.close();
    });
}

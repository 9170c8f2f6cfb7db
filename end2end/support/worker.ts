import { expect, type Page } from "@playwright/test";

/** Waits until the service worker has all that it is to have. */
export async function isReady(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const worker = registration.active!;
    if (worker.state !== "activated") await new Promise((done) => worker.addEventListener("statechange", done));
  });
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

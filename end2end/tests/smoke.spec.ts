import type { Page } from "@playwright/test";
import { expect, test } from "../support/fixtures.ts";

test("the server answers a ping that no cache keeps", async ({ request, sharedServer }) => {
  const response = await request.get(`${sharedServer.url}/api/ping`);
  expect(response.ok()).toBe(true);
  expect(response.headers()["cache-control"]).toContain("no-store");
});

test("the first page opens", async ({ page, sharedServer }) => {
  await page.goto(sharedServer.url);
  await expect(page).toHaveTitle("Sheetbend");
});

/** Keeps the program from the page until the returned function is called. */
async function withoutProgram(page: Page): Promise<() => void> {
  let bring = () => {};
  const brought = new Promise<void>((resolve) => (bring = resolve));
  await page.route("**/*.wasm", async (route) => {
    await brought;
    await route.continue();
  });
  return bring;
}

test("a button that was pressed before the program came does what it says, once", async ({ page, sharedServer }) => {
  const bring = await withoutProgram(page);
  await page.goto(sharedServer.url);
  await page.getByRole("button", { name: "New board", exact: true }).click();
  await page.getByRole("button", { name: "New board", exact: true }).click();
  bring();
  await page.waitForURL(/\/b\/.{22}$/);
  await page.goBack();
  await expect(page.locator(".recent-title")).toHaveCount(1);
});

test("a file that was chosen before the program came is read", async ({ page, sharedServer }) => {
  const bring = await withoutProgram(page);
  await page.goto(sharedServer.url);
  await page.getByLabel("New board from a file").setInputFiles({
    name: "party.md",
    mimeType: "text/markdown",
    buffer: Buffer.from("# Party\n\n## To do\n- [ ] Book the hall\n"),
  });
  bring();
  await page.getByRole("button", { name: "Make the board" }).click();
  await page.waitForURL(/\/b\/.{22}$/);
  await expect(page.getByRole("heading", { name: "Party" })).toBeVisible();
});

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

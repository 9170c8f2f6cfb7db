// What the page costs on the line, against `budget.json`, in bytes: whoever makes it cost more says so there.
import { readFile } from "node:fs/promises";
import { expect, test } from "../support/fixtures.ts";

/** What a response counts for. */
function part(url: string): string {
  const ending = new URL(url).pathname.match(/\.(wasm|js|css)$/)?.[1];
  return ending ?? (new URL(url).pathname.startsWith("/b/") ? "board" : "other");
}

test("an empty board is within its budget of bytes", async ({ board, browser }) => {
  const budget = JSON.parse(await readFile(new URL("../budget.json", import.meta.url), "utf8")) as Record<string, number>;
  // The worker fetches the same files again, when the page is there.
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  const spent = Object.fromEntries(Object.keys(budget).map((name) => [name, 0]));
  const counted: Promise<void>[] = [];
  page.on("requestfinished", (request) => {
    const name = part(request.url());
    counted.push(
      request.sizes().then(({ responseBodySize }) => {
        if (name in spent) spent[name]! += responseBodySize;
      }),
    );
  });
  await page.goto(board.editUrl);
  await expect(page.locator(".pill")).toHaveAttribute("data-state", "saved");
  await Promise.all(counted);
  console.log(`bytes on the line: ${JSON.stringify(spent)}`);
  for (const [name, most] of Object.entries(budget)) {
    expect(spent[name], `${name} is fetched`).toBeGreaterThan(0);
    expect(spent[name], name).toBeLessThanOrEqual(most);
  }
});

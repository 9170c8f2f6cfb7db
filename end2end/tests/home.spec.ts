// The list of boards: what is taken off it can come back, and a link opens without an address bar.
import { expect, test } from "../support/fixtures.ts";
import { createBoard } from "../support/board.ts";
import { Person } from "../support/person.ts";

test("a board that was taken off the list comes back whole", async ({ browser, server }) => {
  const context = await browser.newContext();
  const ada = await Person.in(context, (await createBoard(server.url)).editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  const other = await createBoard(server.url);
  await ada.page.goto(other.editUrl);
  await ada.isSaved();
  const { page } = ada;
  await page.goto(server.url);
  const links = page.locator(".recent a");
  await expect(links).toHaveCount(2);
  const before = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));

  await page.getByRole("button", { name: /^Take / }).last().click();
  await expect(links).toHaveCount(1);
  await expect(page.getByRole("button", { name: /^Take / }), "the focus goes to the neighbour").toBeFocused();
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await expect(links).toHaveCount(2);
  await expect(links.last(), "the board that came back").toBeFocused();
  // Also from the database alone, with its place in the list.
  const kept = () =>
    page.evaluate(async () => {
      const names = await indexedDB.databases();
      const open = indexedDB.open(names[0]!.name!);
      const database = await new Promise<IDBDatabase>((done) => (open.onsuccess = () => done(open.result)));
      const all = database.transaction("opened").objectStore("opened").count();
      const count = await new Promise<number>((done) => (all.onsuccess = () => done(all.result)));
      database.close();
      return count;
    });
  await expect.poll(kept).toBe(2);
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await expect(links).toHaveCount(2);
  expect(await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")))).toEqual(before);
  await links.last().click();
  await expect(ada.list("To do")).toBeVisible();
});

test("a board's link opens from the list of boards, and one of another server says so", async ({ page, server }) => {
  const board = await createBoard(server.url);
  await page.goto(server.url);
  const field = page.getByLabel("Open a link");
  await expect(page.getByText("Boards you open on this device are listed here.")).toBeVisible();
  await field.fill("hello");
  await field.press("Enter");
  await expect(page.getByRole("alert").getByText("This is not the link of a board.")).toBeVisible();
  await field.fill("https://other.example/b/0123456789abcdefABCD-_");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByRole("alert").getByText("another server, other.example")).toBeVisible();
  await field.fill(`Here is our board: ${board.editUrl}`);
  await field.press("Enter");
  await expect(page).toHaveURL(board.editUrl);
  await Person.on(page).isSaved();
});

test("where the browser lets the page store nothing, the list of boards says so", async ({ browser, server }) => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    const deny = (name: string) =>
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    ["localStorage", "indexedDB"].forEach(deny);
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await expect(page.getByText("This browser lets the page store nothing")).toBeVisible();
});

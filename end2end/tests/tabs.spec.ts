import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("two tabs agree while there is no server, and each change arrives once", async ({ board, browser, server }) => {
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    await page.goto(board.editUrl);
    const tab = Person.on(page);
    await tab.isSaved();
    return tab;
  };
  const [one, two] = [await open(), await open()];
  await one.addList("To do");
  await expect(two.list("To do")).toBeVisible();

  await server.kill();
  await one.addCards("To do", "From the first");
  await expect(two.cards("To do")).toHaveText(["From the first"]);
  await two.addCards("To do", "From the second");
  await expect(one.cards("To do")).toHaveText(["From the first", "From the second"]);
  // What is changed again while another tab holds it too is not lost.
  await one.card("From the first").getByRole("checkbox", { name: "Done" }).check();
  await expect(two.card("From the first").getByRole("checkbox", { name: "Done" })).toBeChecked();
  await two.card("From the first").getByRole("checkbox", { name: "Done" }).uncheck();
  await expect(one.card("From the first").getByRole("checkbox", { name: "Done" })).not.toBeChecked();
  await one.page.close();

  await server.restart();
  await two.isSaved();
  const fresh = await Person.at(browser, board.editUrl);
  await expect(fresh.cards("To do")).toHaveText(["From the first", "From the second"]);
  await expect(fresh.card("From the first").getByRole("checkbox")).not.toBeChecked();
});

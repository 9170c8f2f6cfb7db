// Mine is mine: undo takes back only what its person did.
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("undo says so when somebody changed it since, and changes nothing", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One", "Two");
  const bo = await Person.at(browser, board.editUrl);

  await ada.cards("To do").first().focus();
  await ada.page.keyboard.press("x");
  await ada.page.keyboard.press("u");
  await expect(bo.card("One").getByText("Urgent")).toBeVisible();
  // The same value in the end, but it is Bo's.
  await bo.cards("To do").first().focus();
  await bo.page.keyboard.press("u");
  await expect(bo.card("One").getByText("Urgent")).toBeHidden();
  await bo.page.keyboard.press("u");
  await bo.isSaved();
  await bo.addCards("To do", "Three");
  await expect(ada.cards("To do")).toHaveText(["One", "Two", "Three"]);

  await ada.page.keyboard.press("Control+z");
  await expect(ada.page.locator(".toast", { hasText: "Somebody changed it since, so it stays as it is." })).toBeVisible();
  await expect(ada.card("One").getByText("Urgent")).toBeVisible();
  await ada.page.keyboard.press("Control+z");
  await expect(bo.card("One").getByRole("checkbox"), "the step before is still Ada's").not.toBeChecked();
  await expect(bo.card("One").getByText("Urgent")).toBeVisible();
});

test("undo of notes takes back only one's own words", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  const bo = await Person.at(browser, board.editUrl);
  const write = async (who: Person, text: string) => {
    const details = await who.open("One");
    await details.getByLabel("Notes").fill(text);
    await details.getByRole("button", { name: "Close" }).click();
    await who.isSaved();
  };
  await write(ada, "call Ada");
  await expect(bo.card("One").locator(".card-notes")).toHaveText("call Ada");
  await write(bo, "call Ada and bring bread");
  await expect(ada.card("One").locator(".card-notes")).toHaveText("call Ada and bring bread");
  await ada.page.keyboard.press("Control+z");
  await expect(bo.card("One").locator(".card-notes")).toHaveText("and bring bread");
});

test("changes that were not sent yet are undone, and undone they are sent", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "One");
  await ada.isSaved();
  await ada.page.context().setOffline(true);
  await ada.cards("To do").first().focus();
  await ada.page.keyboard.press("x");
  await ada.page.keyboard.press("u");
  await expect(ada.card("One").getByText("Urgent")).toBeVisible();
  await ada.page.keyboard.press("Control+z");
  await expect(ada.card("One").getByText("Urgent")).toBeHidden();
  await ada.page.context().setOffline(false);
  await ada.isSaved();
  await ada.page.keyboard.press("Control+z");
  await expect(ada.card("One").getByRole("checkbox")).not.toBeChecked();
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.card("One").getByRole("checkbox")).not.toBeChecked();
  await expect(bo.card("One").getByText("Urgent")).toBeHidden();
});

test("undo of adding a list leaves a list that somebody else uses", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("Used");
  await ada.addList("Mine");
  const bo = await Person.at(browser, board.editUrl);
  await bo.addCards("Used", "Bo's");
  await expect(ada.cards("Used")).toHaveText(["Bo's"]);
  await ada.page.locator(".home").focus();
  await ada.page.keyboard.press("Control+z");
  await expect(ada.list("Mine")).toHaveCount(0);
  await ada.page.keyboard.press("Control+z");
  await expect(ada.page.locator(".toast", { hasText: "Somebody changed it since" })).toBeVisible();
  await expect(bo.cards("Used")).toHaveText(["Bo's"]);
});

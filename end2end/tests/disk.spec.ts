import { createBoard, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

test("the server's disk is full: the page says so, keeps what was made, and all is saved when there is room", async ({ browser, server }) => {
  test.skip(!(await server.moveToSmallDisk(4)), "a disk of the test's own takes root");
  const board = await createBoard(server.url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await server.fillDisk();
  await ada.addCards("To do", "One", "Two");
  await expect(ada.page.locator('.pill[data-state="not-saving"]')).toBeVisible();
  await expect(ada.page.locator('.strip[data-strip="network"]')).toContainText("The server can't save just now");
  await ada.keeps(2, "not-saving");
  await server.makeRoom();
  await ada.isSaved();
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["One", "Two"]);
});

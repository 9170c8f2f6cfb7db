import { expect, test } from "./fixtures.ts";
import { button, inCard, inDialog, inList, menuItem, Person } from "./person.ts";

test("a new board: made, named, filled, listed on Home, and opened by its link", async ({ driven, server }) => {
  const ada = new Person(await driven.window(server.url));
  await ada.window.click(button("New board"));
  await ada.isSaved();
  await ada.rename(["h1", ".in-place"], "Autumn refit");
  await ada.addList("To do");
  await ada.addCards("To do", "Sails", "Ropes", "Anchor");
  await ada.isSaved();
  const url = await ada.window.evaluate(() => location.href);

  const bo = await Person.at(driven, url);
  await bo.sees("To do", "Sails", "Ropes", "Anchor");
  await bo.window.click([".home"]);
  await expect.poll(() => bo.window.text([".recent-title"])).toContain("Autumn refit");
  await bo.window.click([".recent-title", { text: "Autumn refit" }]);
  await bo.sees("To do", "Sails", "Ropes", "Anchor");
});

test("two windows on one board see each other's changes", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const bo = await Person.at(driven, board.editUrl);
  await bo.addCards("To do", "Two");
  await ada.sees("To do", "One", "Two");
  await ada.window.click([...inCard("Two"), ".tick"]);
  await bo.seesTick("Two", true);
  await bo.seesTick("One", false);
  await bo.window.click([...inCard("Two"), ".tick"]);
  await ada.seesTick("Two", false);
  await ada.isSaved();
  await bo.isSaved();
});

test("keys: from card to card, move, tick, urgent, add, undo, help", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One", "Two", "Three");
  const { window } = ada;
  const focused = async (title: string): Promise<void> => await window.waitFor([".card-open:focus", { text: title }]);
  await window.evaluate(() => document.querySelector<HTMLElement>(".card-open")!.focus());
  await window.keys("ArrowDown");
  await focused("Two");
  await window.keys("Alt+ArrowDown");
  await ada.sees("To do", "One", "Three", "Two");
  await focused("Two");
  await window.keys("x");
  await ada.seesTick("Two", true);
  await window.keys("u");
  await window.waitFor([...inCard("Two"), ".alarm"]);
  await window.keys("Control+z");
  await window.waitForNo([...inCard("Two"), ".alarm"]);
  await window.keys("Enter");
  await window.waitFor(inDialog("Card"));
  await window.keys("Escape");
  await window.waitForNo(["dialog[open]"]);
  await focused("Two");
  await window.keys("n");
  await window.waitFor(['[aria-label="New card"]:focus']);
  await window.type("Four");
  await window.keys("Enter");
  await ada.sees("To do", "One", "Three", "Two", "Four");
  await window.keys("Escape");
  await window.waitForNo(['[aria-label="New card"]']);
  await window.keys("?");
  await window.waitFor(inDialog("Keyboard shortcuts"));
  await ada.closeDialog();
  await ada.isSaved();
});

test("a card and a list are renamed, and notes are shown to others while they are typed", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const bo = await Person.at(driven, board.editUrl);
  await ada.rename([...inList("To do"), ".in-place"], "Today");
  await bo.seesLists("Today");
  await ada.openCard("One");
  await ada.fill([...inDialog("Card"), "label.field input"], "One of these days");
  await ada.window.keys("Tab");
  await bo.sees("Today", "One of these days");
  await ada.window.click([...inDialog("Card"), "textarea"]);
  await ada.window.type("Ask Bo; he has the key.");
  await bo.window.waitFor([".card-notes", { text: "Ask Bo; he has the key." }]);
  await ada.closeDialog();
  await ada.isSaved();
});

test("a card is dragged to another list; Escape lets it go where it was", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One", "Two");
  await ada.addList("Done");
  const there = await ada.window.place([...inList("Done"), ".add-card"]);
  await ada.drag(await ada.window.place([...inCard("One"), ".card-open"]), there);
  await ada.sees("Done", "One");
  await ada.sees("To do", "Two");
  await ada.window.waitForNo(["dialog[open]"]);

  const [x, y] = await ada.window.place([...inCard("Two"), ".card-open"]);
  await ada.window.pointer({ to: [x, y] }, "down", { to: [x + 40, y] }, { to: [x + 200, y] });
  await ada.window.waitFor([".drop-line"]);
  await ada.window.keys("Escape");
  await ada.window.waitForNo([".drop-line"]);
  await ada.window.pointer("up");
  await ada.sees("To do", "Two");
  await ada.isSaved();
});

test("dialogs: move to another list, share, archive and restore, closed by the backdrop", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One", "Two");
  const { window } = ada;
  await ada.addList("Done");
  await ada.openCard("One");
  await window.click([...inDialog("Card"), ...button("Move to…")]);
  await window.waitFor(inDialog("Move to"));
  await ada.choose("List", "Done");
  await window.click([...inDialog("Move to"), ...button("Move")]);
  await ada.sees("Done", "One");
  await window.waitForNo(["dialog[open]"]);

  await window.click(button("Share"));
  await expect.poll(() => window.text([...inDialog("Share this board"), "input"])).toEqual([board.editUrl, board.viewUrl]);
  await window.pointer({ to: [10, 400] }, "down", "up");
  await window.waitForNo(["dialog[open]"]);

  await ada.openCard("Two");
  await window.click([...inDialog("Card"), ...button("Archive")]);
  await ada.sees("To do");
  await window.click(['[aria-label="Board menu"]']);
  await window.click(menuItem("Archive"));
  await window.waitFor([...inDialog("Archive"), ".archive-title", { text: "Two" }]);
  await window.click([...inDialog("Archive"), ...button("Restore")]);
  await ada.closeDialog();
  await ada.sees("To do", "Two");
  await ada.isSaved();
});

test("the server is killed: what is written meanwhile is kept, counted, and saved when it is back", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  await server.kill();
  await ada.addCards("To do", "Two", "Three");
  await ada.keeps(2);
  await server.restart();
  await ada.isSaved();
  const bo = await Person.at(driven, board.editUrl);
  await bo.sees("To do", "One", "Two", "Three");
});

test("without a server a board opens from the device, with what was written there", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  await ada.hasWorker();
  await server.kill();
  await ada.addCards("To do", "Two");
  await ada.keeps(1);
  await ada.window.reload();
  await ada.sees("To do", "One", "Two");
  await ada.keeps(1);
  await ada.addCards("To do", "Three");
  await server.restart();
  await ada.isSaved();
  await ada.window.reload();
  await ada.isSaved();
  await ada.sees("To do", "One", "Two", "Three");
});

test("a window is closed in the moment of a change, and the change is there in the next one", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  // A window more, so that the browser stays.
  const bo = new Person(await driven.window(`${server.url}/api/ping`));
  await server.kill();
  await ada.window.evaluate(() => {
    document.querySelector<HTMLElement>(".tick")!.click();
    window.close();
  });
  await ada.window.close();
  await server.restart();
  await bo.window.open(board.editUrl);
  await bo.isSaved();
  await bo.seesTick("One", true);
});

test("a page is left while it writes, ten times: the next page works each time, and nothing is lost", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  for (let round = 1; round <= 10; round += 1) {
    const ticked = round % 2 === 1;
    await ada.window.evaluate((url) => {
      document.querySelector<HTMLElement>(".tick")!.click();
      location.href = url;
    }, `${server.url}/api/ping?${round}`);
    await ada.window.waitForNo([".pill"]);
    await ada.window.open(board.editUrl);
    await ada.isSaved();
    await ada.seesTick("One", ticked);
  }
});

test("Back and Forward, within the program and out of it: the page goes on", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const bo = await Person.at(driven, board.editUrl);
  await ada.window.click([".home"]);
  await ada.window.waitFor(button("New board"));
  await ada.window.back();
  await ada.sees("To do", "One");
  await ada.window.forward();
  await ada.window.waitFor(button("New board"));
  await ada.window.back();
  await ada.addCards("To do", "Two");
  await bo.sees("To do", "One", "Two");

  await ada.isSaved();
  await ada.window.open(`${server.url}/api/ping`);
  await bo.addCards("To do", "Three");
  await ada.window.back();
  await ada.sees("To do", "One", "Two", "Three");
  await ada.addCards("To do", "Four");
  await bo.sees("To do", "One", "Two", "Three", "Four");
  await ada.isSaved();
});

test("a link to view shows everything and lets nothing be changed", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const bo = await Person.at(driven, board.viewUrl);
  await bo.window.waitFor([".badge", { text: "View only" }]);
  await ada.addCards("To do", "Two");
  await bo.sees("To do", "One", "Two");
  await bo.window.waitForNo([".add-card"]);
  await bo.window.waitForNo([".add-list"]);
  await bo.window.waitFor([...inCard("One"), ".tick:disabled"]);
  // WebKit shows today in a date field that is empty.
  await bo.openCard("One");
  await bo.window.waitForNo([...inDialog("Card"), 'input[type="date"]']);
  await bo.closeDialog();
});

test("a board is taken off Home's list, and nothing scrolls sideways", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const overflow = (): Promise<number> => ada.window.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await ada.window.open(server.url);
  const listed = ["ul.recent", "li"];
  await ada.window.waitFor(listed);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await ada.window.click([...listed, "button"]);
  await ada.window.waitForNo(listed);
});

test.describe("in the dark", () => {
  test.use({ launching: { dark: true } });

  test("the page is dark, and so are its tick boxes", async ({ board, driven }) => {
    const ada = await Person.withCards(driven, board.editUrl, "One");
    const tick = await ada.window.place([...inCard("One"), ".tick"]);
    const picture = await ada.window.screenshot();
    const blank = await driven.window("about:blank");
    const [page, box] = await blank.colours(picture, [1200, 600], tick);
    expect(Math.max(...page!), "the page").toBeLessThan(100);
    expect(Math.max(...box!), "a tick box").toBeLessThan(100);
  });
});

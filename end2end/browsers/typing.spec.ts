import { FirefoxProcess } from "./firefox.ts";
import { expect, test } from "./fixtures.ts";
import { inCard, inDialog, inList, Person } from "./person.ts";

test("Firefox is killed while somebody types: the text is there when it is back", async ({ board }, testInfo) => {
  test.skip(testInfo.project.name !== "firefox", "WebKit writes its localStorage to the disk in time");
  const first = await FirefoxProcess.launch({});
  const ada = await Person.withCards(first.profiled(), board.editUrl, "One");
  const field = [...inList("To do"), '[aria-label="New card"]'];
  await ada.window.click([...inList("To do"), ".add-card"]);
  await ada.window.click(field);
  await ada.window.type("half a thought");
  // Firefox writes localStorage to the disk some seconds later.
  const stored = (): Promise<string[]> =>
    ada.window.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await done(indexedDB.open("sheetbend"));
      const texts = (await done(database.transaction("drafts").objectStore("drafts").getAll())) as string[];
      database.close();
      return texts.map((text) => (JSON.parse(text) as { text: string }).text);
    });
  await expect.poll(stored).toEqual(["half a thought"]);
  await first.kill();

  const second = await FirefoxProcess.launch({}, first);
  const again = new Person(await second.profiled().window(board.editUrl));
  await expect.poll(() => again.window.text(field)).toEqual(["half a thought"]);
  await second.close();
});

test("a character that arrives as two halves stays one", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const field = [...inList("To do"), '[aria-label="New card"]'];
  await ada.window.click([...inList("To do"), ".add-card"]);
  await ada.window.click(field);
  // As Firefox has it from some keyboards: an event for each half.
  await ada.window.evaluate(async () => {
    const field = document.activeElement as HTMLTextAreaElement;
    for (const half of ["k", "\ud83c", "\udf89", "z"]) {
      field.setRangeText(half, field.selectionEnd, field.selectionEnd, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true, data: half }));
      await new Promise(requestAnimationFrame);
    }
  });
  await expect.poll(() => ada.window.text(field)).toEqual(["k🎉z"]);
  await ada.window.keys("Enter");
  await ada.sees("To do", "One", "k🎉z");
});

test("what is being typed comes back after a reload, and when the window is closed and another opened", async ({ board, driven, server }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  const field = [...inList("To do"), '[aria-label="New card"]'];
  await ada.window.click([...inList("To do"), ".add-card"]);
  await ada.window.click(field);
  await ada.window.type("half a tho");
  await expect.poll(() => ada.window.text(field)).toEqual(["half a tho"]);
  await ada.window.reload();
  await expect.poll(() => ada.window.text(field)).toEqual(["half a tho"]);
  await ada.isSaved();

  // A window more, so that the browser stays.
  const bo = new Person(await driven.window(`${server.url}/api/ping`));
  await ada.window.close();
  await bo.window.open(board.editUrl);
  await expect.poll(() => bo.window.text(field)).toEqual(["half a tho"]);
  await bo.window.click(field);
  await bo.window.keys("Enter");
  await bo.sees("To do", "One", "half a tho");
  await bo.isSaved();
});

test("Enter and Escape of an input method neither add a card nor close a dialog", async ({ board, driven }) => {
  const ada = await Person.withCards(driven, board.editUrl, "One");
  /** A key as Safari has it that ends a composition: only its code tells. */
  const compose = (key: string): Promise<boolean> =>
    ada.window.evaluate((key) => {
      const event = new KeyboardEvent("keydown", { key, keyCode: 229, bubbles: true, cancelable: true });
      document.activeElement!.dispatchEvent(event);
      return event.defaultPrevented;
    }, key);
  const field = [...inList("To do"), '[aria-label="New card"]'];
  await ada.window.click([...inList("To do"), ".add-card"]);
  await ada.window.click(field);
  await ada.window.type("nihongo");
  await expect.poll(() => ada.window.text(field)).toEqual(["nihongo"]);
  expect(await compose("Enter")).toBe(false);
  expect(await compose("Escape")).toBe(false);
  await ada.sees("To do", "One");
  expect(await ada.window.text(field)).toEqual(["nihongo"]);
  await ada.window.keys("Enter");
  await ada.sees("To do", "One", "nihongo");
  await ada.window.keys("Escape");

  await ada.openCard("One");
  await ada.window.click([...inDialog("Card"), "textarea"]);
  await compose("Escape");
  expect(await ada.window.text([...inDialog("Card"), "h2"])).toEqual(["Card"]);
  await ada.closeDialog();
  await ada.window.waitFor(inCard("One"));
});

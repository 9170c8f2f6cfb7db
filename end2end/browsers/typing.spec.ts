import { expect, test } from "./fixtures.ts";
import { inCard, inDialog, inList, Person } from "./person.ts";

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

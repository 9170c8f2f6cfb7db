import { type Browser, type Page } from "@playwright/test";
import { createBoard, expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

interface Change {
  kind: string;
  [field: string]: unknown;
}

/** Two people at a new board with the list “To do” and the card “Shopping”, and the changes that the server takes. */
async function two(browser: Browser, url: string): Promise<{ ada: Person; bo: Person }> {
  const board = await createBoard(url);
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Shopping");
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.card("Shopping")).toBeVisible();
  return { ada, bo };
}

/** The changes of one kind that a page sends from now on. */
function sent(page: Page, kind: string): Change[] {
  const changes: Change[] = [];
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => {
      const collect = (value: unknown): void => {
        if (Array.isArray(value)) value.forEach(collect);
        else if (value && typeof value === "object") {
          if ((value as Change).kind === kind) changes.push(value as Change);
          Object.values(value).forEach(collect);
        }
      };
      collect(JSON.parse(payload.toString()));
    });
  });
  return changes;
}

test("a date that is typed is written once, when it is left", async ({ browser, sharedServer }) => {
  const { ada, bo } = await two(browser, sharedServer.url);
  const dates = sent(ada.page, "set_due");
  await ada.page.reload();
  await ada.isSaved();
  const dialog = await ada.open("Shopping");
  await dialog.getByLabel("Due").focus();
  await ada.page.keyboard.type("05012030");
  await dialog.getByLabel("Title").focus();
  await expect(bo.card("Shopping")).toContainText("1 May 2030");
  // Another, by Enter, over the one that is there.
  await dialog.getByLabel("Due").focus();
  await ada.page.keyboard.type("12242031");
  await ada.page.keyboard.press("Enter");
  await expect(bo.card("Shopping")).toContainText("24 Dec 2031");
  await ada.isSaved();
  expect(dates.map(({ due }) => due)).toEqual(["2030-05-01", "2031-12-24"]);
});

test("half a date is nothing, and a year before 1900 is told", async ({ browser, sharedServer }) => {
  const { ada } = await two(browser, sharedServer.url);
  const dates = sent(ada.page, "set_due");
  await ada.page.reload();
  await ada.isSaved();
  const dialog = await ada.open("Shopping");
  const due = dialog.getByLabel("Due");
  await due.focus();
  await ada.page.keyboard.type("0501");
  await dialog.getByLabel("Title").focus();
  await expect(due).toHaveValue("");
  await due.focus();
  await ada.page.keyboard.type("0501203");
  await dialog.getByLabel("Title").focus();
  await expect(dialog.getByRole("alert")).toContainText("from the year 1900 on");
  await due.fill("2030-05-01");
  await dialog.getByLabel("Title").focus();
  await expect(ada.card("Shopping")).toContainText("1 May 2030");
  await ada.isSaved();
  expect(dates.map(({ due }) => due)).toEqual(["2030-05-01"]);
});

test("nobody's change is put into a field that somebody types in; who is overwritten is told, and can take theirs", async ({ browser, sharedServer }) => {
  const { ada, bo } = await two(browser, sharedServer.url);
  const adas = await ada.open("Shopping");
  await adas.getByLabel("Title").fill("Go shopping");
  const bos = await bo.open("Shopping");
  await bos.getByLabel("Title").fill("Groceries");
  await bos.getByRole("button", { name: "Close" }).click();
  await expect(ada.page.locator(".card-open")).toHaveText("Groceries");
  await expect(adas.getByLabel("Title")).toHaveValue("Go shopping");
  await adas.getByRole("button", { name: "Close" }).click();
  await expect(bo.card("Go shopping")).toBeVisible();
  const toast = ada.page.locator(".toast");
  await expect(toast).toContainText("was changed to “Groceries” by somebody while you typed; yours replaced it");
  await toast.getByRole("button", { name: "Use theirs" }).click();
  await expect(bo.card("Groceries")).toBeVisible();
});

test("a rename in place is not overwritten either, and what nobody typed over shows what others wrote", async ({ browser, sharedServer }) => {
  const { ada, bo } = await two(browser, sharedServer.url);
  await ada.page.getByRole("button", { name: "Untitled board" }).click();
  const field = ada.page.getByLabel("Board title");
  await expect(field).toBeFocused();
  await bo.page.getByRole("button", { name: "Untitled board" }).click();
  await bo.page.keyboard.type("Spring party");
  await bo.page.keyboard.press("Enter");
  await expect(ada.page).toHaveTitle("Spring party · Sheetbend");
  await expect(field).toHaveValue("");
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByRole("button", { name: "Spring party" })).toBeFocused();
});

test("a title that is emptied and left shows the title again", async ({ browser, sharedServer }) => {
  const { ada } = await two(browser, sharedServer.url);
  const dialog = await ada.open("Shopping");
  await dialog.getByLabel("Title").fill("");
  await dialog.getByLabel("Notes").focus();
  await expect(dialog.getByLabel("Title")).toHaveValue("Shopping");
});

test("renaming selects the old text, and the focus stays on what was renamed", async ({ browser, sharedServer }) => {
  const { ada } = await two(browser, sharedServer.url);
  await ada.page.getByRole("button", { name: "Untitled board" }).click();
  await ada.page.keyboard.type("Autumn refit");
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByRole("button", { name: "Autumn refit", exact: true })).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.type("Spring refit");
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByRole("button", { name: "Autumn refit", exact: true })).toBeFocused();
  await ada.list("To do").getByRole("button", { name: "To do" }).click();
  await ada.page.keyboard.type("Later");
  await ada.page.keyboard.press("Enter");
  await expect(ada.list("Later")).toBeVisible();
});

test("a key that comes before the old title is selected again replaces it; text that came without a key stays", async ({ browser, sharedServer }) => {
  const { ada } = await two(browser, sharedServer.url);
  const selected = (by: "key" | "text") =>
    ada.list("To do").getByRole("button", { name: "To do", exact: true }).evaluate(async (button, by) => {
      const field = new Promise<HTMLInputElement>((resolve) => {
        document.addEventListener("focusin", ({ target }) => {
          if (target instanceof HTMLInputElement) resolve(target);
        });
      });
      (button as HTMLElement).click();
      const input = await field;
      // Before any timer Chromium drops the selection, and a key comes, or text from a phone's keyboard.
      input.setSelectionRange(input.value.length, input.value.length);
      if (by === "key") {
        input.dispatchEvent(new KeyboardEvent("keydown", { key: "S", bubbles: true }));
      } else {
        input.setRangeText(" or not", input.value.length, input.value.length, "end");
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
        await new Promise((after) => setTimeout(after, 0));
        await new Promise((after) => setTimeout(after, 0));
      }
      return input.value.slice(input.selectionStart!, input.selectionEnd!);
    }, by);
  expect(await selected("text")).toBe("");
  await ada.page.keyboard.press("Escape");
  expect(await selected("key")).toBe("To do");
});

test("who has a card open is told that it, or its list, was archived", async ({ browser, sharedServer }) => {
  const { ada, bo } = await two(browser, sharedServer.url);
  const dialog = await ada.open("Shopping");
  const told = dialog.locator(".dialog-body > .hint");
  await expect(told).toBeHidden();
  await bo.card("Shopping").getByRole("button", { name: "Shopping", exact: true }).focus();
  await bo.page.keyboard.press("a");
  await expect(told).toHaveText("This card is archived.");
  await dialog.getByRole("button", { name: "Restore" }).click();
  await expect(told).toBeHidden();
  await bo.list("To do").getByLabel("List menu").click();
  await bo.list("To do").getByRole("button", { name: "Archive" }).click();
  await expect(told).toContainText("The list of this card is archived");
});

test("closing a dialog gives the focus back to what opened it", async ({ browser, sharedServer }) => {
  const { ada } = await two(browser, sharedServer.url);
  for (const item of ["Archive", "Keyboard shortcuts"]) {
    await ada.page.getByLabel("Board menu").click();
    await ada.page.getByRole("button", { name: item, exact: true }).click();
    await expect(ada.page.getByRole("dialog")).toBeVisible();
    await ada.page.keyboard.press("Escape");
    await expect(ada.page.getByLabel("Board menu")).toBeFocused();
  }
  await ada.page.getByRole("button", { name: "Share" }).click();
  await ada.page.mouse.click(4, 300);
  await expect(ada.page.getByRole("button", { name: "Share" })).toBeFocused();
});

/** A key as an input method has it: marked as composing, or by its code alone, as in Safari. */
async function composedKey(page: Page, key: string, sign: "isComposing" | "keyCode"): Promise<void> {
  await page.evaluate(
    ({ key, sign }) => {
      const keyCode = sign === "keyCode" ? 229 : 0;
      const init = { key, bubbles: true, cancelable: true, isComposing: sign === "isComposing", keyCode };
      document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", init));
    },
    { key, sign },
  );
}

for (const sign of ["isComposing", "keyCode"] as const) {
  test(`Enter and Escape of an input method do nothing (${sign})`, async ({ browser, sharedServer }) => {
    const { ada } = await two(browser, sharedServer.url);
    const { page } = ada;
    const composes = async (field: ReturnType<Page["getByLabel"]>, text: string) => {
      await field.fill(text);
      await composedKey(page, "Enter", sign);
      await expect(field).toHaveValue(text);
      await composedKey(page, "Escape", sign);
      await expect(field).toHaveValue(text);
      await expect(field).toBeFocused();
    };
    await ada.list("To do").getByRole("button", { name: "Add card" }).click();
    await composes(page.getByLabel("New card"), "かんじ");
    await expect(ada.cards("To do")).toHaveText(["Shopping"]);
    await page.getByLabel("New card").press("Escape");
    await page.getByRole("button", { name: "Add list" }).click();
    await composes(page.getByLabel("New list"), "かんじ");
    await page.getByLabel("New list").press("Escape");
    await page.getByRole("button", { name: "Untitled board" }).click();
    await composes(page.getByLabel("Board title"), "かんじ");
    await page.getByLabel("Board title").press("Escape");
    const dialog = await ada.open("Shopping");
    for (const label of ["Title", "Notes", "Add a label"]) await composes(dialog.getByLabel(label), "かんじ");
    await expect(dialog.locator(".label-of-card")).toHaveCount(0);
    await expect(dialog).toBeVisible();
  });
}

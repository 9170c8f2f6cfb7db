// WCAG 2.2 AA in every state of every page, light and dark; by keyboard; small windows, large text, little motion.
import { allowErrors, expect, status, test } from "../support/fixtures.ts";
import { isAccessible } from "../support/axe.ts";
import { Person } from "../support/person.ts";
import { newBoard } from "../support/board.ts";
import { Wire } from "../support/wire.ts";

async function plan(browser: Parameters<typeof Person.at>[0], url: string, options = {}): Promise<Person> {
  const ada = await Person.at(browser, url, options);
  await ada.addList("To do");
  await ada.addCards("To do", "Ropes", "Lamps", "A card whose title is long enough to take more than one line in its list");
  await ada.addList("Done");
  await ada.isSaved();
  return ada;
}

test("the page of boards: empty, with boards, with a problem; and where there is nothing", async ({ board, browser, server }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await expect(page.getByText("Boards you open on this device are listed here.")).toBeVisible();
  await isAccessible(page, "no boards");
  await page.getByLabel("New board from a file").setInputFiles({ name: "a.json", mimeType: "application/json", buffer: Buffer.from("{}") });
  await expect(page.getByRole("alert").filter({ hasText: /./ })).toBeVisible();
  await isAccessible(page, "a file that is none");
  await page.goto(board.editUrl);
  await Person.on(page).isSaved();
  await page.goto(server.url);
  await expect(page.getByRole("heading", { name: "Your boards" })).toBeVisible();
  await isAccessible(page, "some boards");
  allowErrors(status(404));
  await page.goto(newBoard(server.url).editUrl);
  await isAccessible(page, "nothing here");
});

test("a board: empty, with cards, view-only", async ({ board, browser }) => {
  const empty = await Person.at(browser, board.editUrl);
  await isAccessible(empty.page, "an empty board");
  const ada = await plan(browser, board.editUrl);
  await isAccessible(ada.page, "a board");
  const bo = await Person.at(browser, board.viewUrl);
  await isAccessible(bo.page, "a board to view");
});

test("a board's dialogs and menus", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  const details = await ada.open("Ropes");
  await isAccessible(page, "a card");
  await details.getByRole("button", { name: "Move to…" }).click();
  await expect(page.getByRole("dialog", { name: "Move" })).toBeVisible();
  await isAccessible(page, "move to");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  for (const [open, name] of [
    [async () => page.getByRole("button", { name: "Share" }).click(), "Share this board"],
    [async () => page.keyboard.press("?"), "Keyboard shortcuts"],
    [
      async () => {
        await page.locator(".topbar .menu summary").click();
        await isAccessible(page, "the menu");
        await page.getByRole("button", { name: "Archive", exact: true }).click();
      },
      "Archive",
    ],
  ] as const) {
    await open();
    await expect(page.getByRole("dialog", { name })).toBeVisible();
    await isAccessible(page, name);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog", { name })).toBeHidden();
  }
});

test("where the person stands: saved, offline with changes, the panel, the tools", async ({ board, browser, server }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await page.locator(".pill-words").click();
  await expect(page.locator(".latency strong")).toHaveText(/\d+ ms/);
  await isAccessible(page, "the panel");
  await page.getByLabel("Tools that make the network bad").check();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Slow 3G" }).click();
  await expect(page.locator(".fault-sign")).toBeVisible();
  await page.getByText("Timeline", { exact: true }).click();
  await isAccessible(page, "the tools");
  await page.getByRole("button", { name: "Put the network tools away" }).click();
  await server.kill();
  await ada.addCards("To do", "Waits");
  await ada.keeps(1, "unreachable");
  await expect(ada.card("Waits").locator(".mark")).toHaveCSS("opacity", "1");
  await isAccessible(page, "out of reach");
  await page.locator(".pill-words").click();
  await expect(page.locator(".changes li")).toHaveCount(1);
  await isAccessible(page, "the panel with a change that waits");
});

test("what needs attention, and what is over", async ({ board, browser, server }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  const wire = new Wire(server.direct, board.editKey);
  await wire.connect();
  const card = wire.log.map(({ change }) => change).find((change) => change?.kind === "add_card")!["card"];
  await page.context().setOffline(true);
  const details = await ada.open("Ropes");
  await details.getByLabel("Add a label").fill("One too many");
  await details.getByLabel("Add a label").press("Enter");
  await page.keyboard.press("Escape");
  for (let n = 1; n <= 20; n++) await wire.offer({ kind: "set_label", card, label: `Label ${n}`, on: true });
  await page.context().setOffline(false);
  await expect(page.locator('[data-strip="refused"]')).toBeVisible();
  await isAccessible(page, "a refused change");
  await ada.card("Ropes").getByRole("button", { name: "Not accepted: what now?" }).click();
  await isAccessible(page, "a card that needs attention");
});

test("the device keeps nothing", async ({ board, browser }) => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    Storage.prototype.setItem = refuse;
    IDBObjectStore.prototype.put = refuse;
  });
  const ada = await Person.in(context, board.editUrl);
  await ada.page.context().setOffline(true);
  await ada.addList("To do");
  await expect(ada.page.locator('[data-strip="unkept"]')).toBeVisible();
  await isAccessible(ada.page, "storage failing");
});

for (const [name, viewport] of [
  ["320 px", { width: 320, height: 640 }],
  ["200 %", { width: 640, height: 400 }],
] as const) {
  test(`at ${name} nothing is cut off, and what can be pressed is large enough`, async ({ board, browser }) => {
    const ada = await plan(browser, board.editUrl, { viewport });
    const { page } = ada;
    const looks = async (state: string) => {
      const [wide, small] = await page.evaluate(() => {
        const targets = [...document.querySelectorAll<HTMLElement>("button, a, input, select, summary, textarea, label.file")];
        const seen = targets.filter((element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.matches(".visually-hidden"));
        const small = seen.filter((element) => {
          // A tick's card, and a check's label, are pressed as well.
          const target = element.closest("label") ?? (element.matches(".pill-open") ? element.querySelector(".pill-words")! : element);
          const { width, height } = target.getBoundingClientRect();
          return !element.matches(".tick, .card-open") && (width < 24 || height < 24);
        });
        return [document.documentElement.scrollWidth, small.map((element) => element.outerHTML.slice(0, 120))];
      });
      expect(wide, state).toBeLessThanOrEqual(viewport.width);
      expect(small, state).toEqual([]);
    };
    await looks("board");
    await page.context().setOffline(true);
    await expect(page.locator(".toast")).toBeVisible();
    await looks("offline");
    for (const control of [".pill-words", ".topbar .menu summary", '[aria-label="Share"]', ".toast"]) {
      const box = (await page.locator(control).boundingBox())!;
      expect(box.x, control).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width, control).toBeLessThanOrEqual(viewport.width);
    }
    await page.locator(".pill-words").click();
    await expect(page.getByRole("dialog", { name: "Connection" })).toBeVisible();
    await looks("panel");
    await page.keyboard.press("Escape");
    await ada.open("Lamps");
    await looks("card");
  });
}

test("with reduced motion nothing moves", async ({ board, browser }) => {
  const ada = await plan(browser, board.editUrl, { reducedMotion: "reduce" });
  await ada.page.context().setOffline(true);
  await expect(ada.page.locator(".toast")).toBeVisible();
  await ada.addCards("To do", "Marked");
  await expect(ada.card("Marked").locator(".mark")).toBeVisible();
  const moving = await ada.page.evaluate(() => document.getAnimations().filter(({ playState, effect }) => playState === "running" && Number(effect!.getTiming().duration) > 0).length);
  expect(moving).toBe(0);
});

test("everything about the connection works by keyboard, with a focus that can be seen", async ({ board, browser, server }) => {
  const ada = await plan(browser, board.editUrl);
  const { page } = ada;
  await server.kill();
  await ada.addCards("To do", "Waits");
  await ada.keeps(1, "unreachable");
  await page.locator(".home").focus();
  const focused = () => page.evaluate(() => document.activeElement?.className.toString() ?? "");
  while (!(await focused()).includes("pill-open")) await page.keyboard.press("Tab");
  const outline = await page.locator(".pill-words").evaluate((words) => getComputedStyle(words).outlineStyle);
  expect(outline).toBe("solid");
  await page.keyboard.press("Enter");
  const panel = page.getByRole("dialog", { name: "Connection" });
  await expect(panel).toBeFocused();
  const discard = panel.getByRole("button", { name: "Discard" });
  while (!(await discard.evaluate((element) => element === document.activeElement))) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(panel.locator(".changes li")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(page.locator(".pill-open")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Retry now" })).toBeFocused();
});

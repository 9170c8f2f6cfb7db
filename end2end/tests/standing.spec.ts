// The table of what a person sees, row by row: what is shown, when, and that it is true.
import { expect, test } from "../support/fixtures.ts";
import { Chaos } from "../support/chaos.ts";
import { Person } from "../support/person.ts";
import { watch, watched } from "../support/watch.ts";
import { Wire } from "../support/wire.ts";

const pill = (who: Person, state: string) => who.page.locator(`.pill[data-state="${state}"]`);
const strip = (who: Person, name: string) => who.page.locator(`[data-strip="${name}"]`);

/** A board that someone has open through a network that can be made to fail, and someone else with a good one. */
async function plan(browser: Parameters<typeof Person.at>[0], server: { url: string }, board: { editKey: string; editUrl: string }) {
  const chaos = await Chaos.start(server.url);
  const ada = await Person.at(browser, `${chaos.url}/b/${board.editKey}`);
  await ada.addList("To do");
  await ada.isSaved();
  return { chaos, ada };
}

test("the page is not ready: “Starting…” from the HTML on, and nothing without scripts", async ({ board, browser }) => {
  const html = await (await fetch(board.editUrl)).text();
  expect(html).toContain("Starting…");
  const page = await (await browser.newContext()).newPage();
  // The program does not come until the button was seen.
  let seen = () => {};
  const looked = new Promise<void>((resolve) => (seen = resolve));
  await page.route("**/*.wasm", async (route) => {
    await looked;
    await route.continue();
  });
  await page.goto(board.editUrl);
  await expect(page.locator('.pill[data-state="quiet"]')).toContainText("Starting…");
  seen();
  await Person.on(page).isSaved();
  const reader = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await reader.goto(board.editUrl);
  await expect(reader.locator(".pill")).toBeHidden();
});

test("first connect: “Connecting…”, once it has lasted", async ({ board, browser, server }) => {
  const chaos = await Chaos.start(server.url);
  const page = await (await browser.newContext()).newPage();
  // The page comes over connections that are there; the socket's is a new one.
  await page.route("**/*.wasm", async (route) => {
    const answer = await route.fetch();
    await chaos.set({ fault: "silent_handshake" });
    await route.fulfill({ response: answer });
  });
  await page.goto(`${chaos.url}/b/${board.editKey}`);
  const ada = Person.on(page);
  await expect(pill(ada, "connecting")).toContainText("Connecting…");
  await chaos.dispose();
});

test("live, and all is confirmed: “Saved”", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await expect(pill(ada, "saved")).toContainText("Saved");
  await expect(ada.page.locator(".strip")).toHaveCount(0);
});

test("changes under way: “Saving 1…”, after 300 ms and for 400 ms at least", async ({ board, browser, server }) => {
  const { chaos, ada } = await plan(browser, server, board);
  await watch(ada.page);
  await chaos.set({ fault: "delay", ms: 1_500 });
  await ada.addCards("To do", "On a slow line");
  await expect(pill(ada, "saving")).toContainText("Saving 1…");
  await expect(pill(ada, "saved")).toBeVisible();
  const { states, said, shift, moved } = await watched(ada.page);
  expect(states.map(({ state }) => state)).toEqual(["saved", "settling", "saving", "saved"]);
  const [, settling, saving, saved] = states.map(({ at }) => at);
  expect(saving! - settling!).toBeGreaterThanOrEqual(295);
  expect(saved! - saving!).toBeGreaterThanOrEqual(395);
  expect(said, "that is no news").toEqual([]);
  expect(shift, moved.join("\n")).toBe(0);
  await chaos.dispose();
});

test("a change that is saved at once: the pill says nothing of it, and never that it is saved before it is", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await watch(ada.page);
  await ada.addCards("To do", "On a good line");
  await ada.isSaved();
  const { states } = await watched(ada.page);
  // On a machine that is busy it may take long enough to be said.
  expect(["saved settling saved", "saved settling saving saved"]).toContain(states.map(({ state }) => state).join(" "));
});

test("a drop of less than two seconds: nothing is shown, said or moved", async ({ board, browser, server }) => {
  const { chaos, ada } = await plan(browser, server, board);
  const bo = await Person.at(browser, board.editUrl);
  await watch(ada.page);
  await chaos.cut();
  await bo.addCards("To do", "After the drop");
  await expect(ada.cards("To do")).toHaveText(["After the drop"]);
  const { states, said } = await watched(ada.page);
  expect(states.map(({ state }) => state)).toEqual(["saved"]);
  expect(said).toEqual([]);
  await expect(ada.page.locator(".strip, .toast")).toHaveCount(0);
  await chaos.dispose();
});

test("reconnecting: after two seconds, with the seconds and “Retry now”, which reconnects and does not reload", async ({
  board,
  browser,
  server,
}) => {
  const { chaos, ada } = await plan(browser, server, board);
  await ada.page.evaluate(() => Object.assign(window, { same: true }));
  await watch(ada.page);
  await chaos.set({ fault: "refuse" });
  const cutAt = await ada.page.evaluate(() => performance.now());
  await chaos.cut();
  await expect(pill(ada, "reconnecting")).toContainText(/Reconnecting\s+in\s+\d+\s+s/, { useInnerText: true });
  await expect(ada.page.getByRole("button", { name: "Retry now" })).toBeVisible();
  const { states, said } = await watched(ada.page);
  const shown = states.find(({ state }) => state === "reconnecting");
  expect(shown!.at - cutAt).toBeGreaterThanOrEqual(1_990);
  expect(said).toEqual([{ urgent: false, text: "Reconnecting." }]);

  // Until the button was pressed before the page tried by itself, which takes no more than a few seconds.
  const retry = ada.page.getByRole("button", { name: "Retry now" });
  const press = async () => {
    await chaos.clear();
    const pressed = await retry.click({ timeout: 1_000 }).then(() => true, () => false);
    await ada.isSaved();
    return pressed;
  };
  while (!(await press())) {
    await chaos.set({ fault: "refuse" });
    await chaos.cut();
    await expect(retry).toBeVisible();
  }
  expect(await ada.page.evaluate(() => "same" in window)).toBe(true);
  const after = await watched(ada.page);
  expect(after.said.at(-1)).toEqual({ urgent: false, text: "Connected. Everything is saved." });
  expect(after.said.filter(({ text }) => /\d/.test(text)), "seconds are not said").toEqual([]);
  expect(after.shift, after.moved.join("\n")).toBe(0);
  await chaos.dispose();
});

test("the device is offline: the status button and one toast say so at once; “You're back online!” takes its place", async ({ board, browser }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await watch(ada.page);
  const sentence = "You're offline. Changes will sync when you're back online.";
  // Flapping is one toast.
  for (const _ of [1, 2, 3]) {
    await ada.page.context().setOffline(true);
    await expect(pill(ada, "offline")).toContainText("Offline");
    await expect(ada.page.locator(".toast")).toHaveText([sentence]);
    await expect(ada.page.locator(".strip").filter({ visible: true })).toHaveCount(0);
    await ada.page.context().setOffline(false);
    await ada.isSaved();
    await expect(ada.page.locator(".toast")).toHaveText(["You're back online!"]);
  }
  const { said, shift, moved } = await watched(ada.page);
  expect(said.filter(({ urgent }) => urgent)).toEqual([]);
  expect(said.map(({ text }) => text)).toContain("This device has no network.");
  expect(shift, moved.join("\n")).toBe(0);
});

test("the server is out of reach: the status button says so and how many changes are kept, and one toast", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await watch(ada.page);
  await server.kill();
  await ada.addCards("To do", ...Array.from({ length: 12 }, (_, n) => `Card ${n + 1}`));
  await ada.keeps(12, "unreachable");
  await expect(pill(ada, "unreachable")).toContainText(/Can't reach the server\s*· 12 kept/, { useInnerText: true });
  await expect(ada.page.locator(".toast")).toHaveText(["No answer from the server. Changes will sync when it is back."]);
  await expect(ada.page.locator(".strip").filter({ visible: true })).toHaveCount(0);
  // On a narrow window the button has no room for it.
  await ada.page.setViewportSize({ width: 390, height: 700 });
  await expect(strip(ada, "down")).toContainText("The server does not answer. 12 changes are kept on this device.");
  await expect(strip(ada, "down").getByRole("button", { name: "Retry now" })).toBeVisible();
  await ada.page.setViewportSize({ width: 1280, height: 720 });
  await server.restart();
  await ada.isSaved();
  const { states, shift, moved } = await watched(ada.page);
  // From the first change on it was never said that all is saved, until it was.
  expect(states.filter(({ state }) => state === "saved").length).toBe(2);
  expect(shift, moved.join("\n")).toBe(0);
});

test("a refused change: on the card and in the list, with the reason, retry, copy and discard", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl, { permissions: ["clipboard-read", "clipboard-write"] });
  await ada.addList("To do");
  await ada.addCards("To do", "Labels");
  await ada.isSaved();
  const wire = new Wire(server.direct, board.editKey);
  await wire.connect();
  const card = wire.log.map(({ change }) => change).find((change) => change?.kind === "add_card")!["card"];

  await watch(ada.page);
  await ada.page.context().setOffline(true);
  const details = await ada.open("Labels");
  await details.getByLabel("Add a label").fill("One too many");
  await details.getByLabel("Add a label").press("Enter");
  await details.getByRole("button", { name: "Close" }).first().click();
  for (let n = 1; n <= 20; n++) await wire.offer({ kind: "set_label", card, label: `Label ${n}`, on: true });
  await ada.page.context().setOffline(false);

  await expect(strip(ada, "refused")).toContainText("1 change needs attention: it was not accepted.");
  await expect(pill(ada, "attention")).toContainText("1 needs attention");
  await ada.card("Labels").getByRole("button", { name: "Not accepted: what now?" }).click();
  const attention = ada.page.locator(".needs-attention");
  await expect(attention).toContainText("A card holds at most 20 labels. Take one off first.");
  await attention.getByRole("button", { name: "Copy" }).click();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toContain("One too many");
  await attention.getByRole("button", { name: "Retry" }).click();
  await expect(attention, "and is refused again").toContainText("A card holds at most 20 labels.");
  await ada.page.keyboard.press("Escape");

  await strip(ada, "refused").getByRole("button", { name: "Show" }).click();
  const panel = ada.page.getByRole("dialog", { name: "Connection" });
  await expect(panel).toContainText("Label “Labels” “One too many”.");
  await panel.getByRole("button", { name: "Discard" }).click();
  await panel.getByRole("button", { name: "Discard for good?" }).click();
  await expect(strip(ada, "refused")).toHaveCount(0);
  await ada.isSaved();
  await expect(ada.page.locator(".mark")).toHaveCount(0);
  const { said } = await watched(ada.page);
  expect(said).toContainEqual({ urgent: false, text: "1 change needs attention: it was not accepted." });
});

test("a card's mark: kept here, then saved, and nothing moves", async ({ board, browser, server }) => {
  const { chaos, ada } = await plan(browser, server, board);
  await ada.addCards("To do", "Marked");
  await ada.isSaved();
  await expect(ada.page.locator(".mark")).toHaveCount(0);
  await watch(ada.page);
  await chaos.set({ fault: "refuse" });
  await chaos.cut();
  await ada.card("Marked").getByLabel("Done").check();
  const mark = ada.card("Marked").locator(".mark");
  await expect(mark).toHaveAttribute("data-mark", "kept");
  await expect(mark).toHaveCSS("opacity", "1");
  await expect(ada.page.locator(".pill-count")).toBeVisible();
  await chaos.clear();
  await expect(mark).toHaveAttribute("data-mark", "saved", { timeout: 30_000 });
  const { shift, moved } = await watched(ada.page);
  expect(shift, moved.join("\n")).toBe(0);
  await chaos.dispose();
});

test("the panel: what waits is listed in words, and can be copied and let go; what let go is never sent", async ({ board, browser, server }) => {
  const { chaos, ada } = await plan(browser, server, board);
  await chaos.set({ fault: "refuse" });
  await chaos.cut();
  await ada.addCards("To do", "Keep me", "Let me go");
  await ada.page.locator(".pill-words").click();
  const panel = ada.page.getByRole("dialog", { name: "Connection" });
  await expect(panel.locator(".changes li")).toHaveCount(2);
  const item = panel.locator(".changes li").filter({ hasText: "Add “Let me go”." });
  await expect(item).toContainText("Waits");
  await item.getByRole("button", { name: "Discard" }).click();
  await item.getByRole("button", { name: "Discard for good?" }).click();
  await expect(panel.locator(".changes li")).toHaveCount(1);
  await expect(ada.cards("To do")).toHaveText(["Keep me"]);
  await expect(panel).toContainText(/Attempt \d failed: the server could not be reached/);
  await ada.page.keyboard.press("Escape");
  await expect(panel).toHaveCount(0);
  await expect(ada.page.locator(".pill-open")).toBeFocused();

  await chaos.clear();
  await ada.isSaved();
  await ada.page.locator(".pill-words").click();
  await expect(panel).toContainText("Everything is saved.");
  await expect(panel.locator(".latency strong")).toHaveText(/\d+ ms/);
  const bo = await Person.at(browser, board.editUrl);
  await expect(bo.cards("To do")).toHaveText(["Keep me"]);
  await chaos.dispose();
});

import { expect, test } from "../support/fixtures.ts";
import { Chaos, type Fault } from "../support/chaos.ts";
import { Person } from "../support/person.ts";
import { overHttp } from "../support/server.ts";

/** A board that two people have open, one of them through a network that fails. */
async function plan(browser: Parameters<typeof Person.at>[0], server: { url: string }, board: { editKey: string; editUrl: string }) {
  const chaos = await Chaos.start(server.url);
  const ada = await Person.at(browser, `${chaos.url}/b/${board.editKey}`);
  const bo = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await expect(bo.list("To do")).toBeVisible();
  return { chaos, ada, bo };
}

test("a captive portal is told apart from a server that is down", async ({ board, browser, server }) => {
  const { chaos, ada, bo } = await plan(browser, server, board);
  await chaos.set({ fault: "portal" });
  await chaos.cut();
  await ada.addCards("To do", "Written in a hotel");
  await ada.keeps(1, "captive");
  await chaos.clear();
  // In the same moment the page may try by itself, and the button goes.
  await ada.page.getByRole("button", { name: "Retry now" }).click({ timeout: 2_000 }).catch(() => {});
  await ada.isSaved();
  await expect(bo.cards("To do")).toHaveText(["Written in a hotel"]);
  await chaos.dispose();
});

for (const [name, fault] of [
  ["refused", { fault: "refuse" }],
  ["open and silent", { fault: "silent_handshake" }],
] satisfies [string, Fault][]) {
  test(`a line that is ${name}: what was typed arrives once`, async ({ board, browser, server }) => {
    const { chaos, ada, bo } = await plan(browser, server, board);
    await chaos.set(fault);
    await chaos.cut();
    await ada.addCards("To do", "One", "Two", "Three");
    // Over HTTP the browser itself makes a request again that was cut: then the line is a silent one, found out in 25 s.
    await expect(ada.page.locator(".pill-count")).toBeVisible({ timeout: overHttp ? 40_000 : 10_000 });
    await expect(bo.cards("To do")).toHaveCount(0);
    await chaos.clear();
    // A socket that opened into silence is given up by its own time limit.
    await expect(bo.cards("To do")).toHaveText(["One", "Two", "Three"], { timeout: 30_000 });
    await ada.isSaved();
    await chaos.dispose();
  });
}

test("a line that is cut in the middle of a frame: it comes back by itself, and what was typed arrives once", async ({
  board,
  browser,
  server,
}) => {
  const { chaos, ada, bo } = await plan(browser, server, board);
  await chaos.set({ fault: "cut_after", bytes: 40 });
  await ada.addCards("To do", "One", "Two", "Three");
  // Every connection is cut so, the first ones that come back too.
  await expect.poll(() => chaos.log.match(/ended.*Cut/g)?.length ?? 0).toBeGreaterThan(1);
  await chaos.clear();
  await expect(bo.cards("To do")).toHaveText(["One", "Two", "Three"]);
  await ada.isSaved();
  await chaos.dispose();
});

test("on a flapping line nothing is lost or doubled, and the page never says that all is saved while it is not", async ({
  board,
  browser,
  server,
}) => {
  const { chaos, ada, bo } = await plan(browser, server, board);
  await chaos.set("flapping");
  const titles = Array.from({ length: 40 }, (_, n) => `Card ${n + 1}`);
  await ada.addCards("To do", ...titles);
  await chaos.clear();
  await ada.isSaved();
  await bo.page.reload();
  await expect(bo.cards("To do")).toHaveText(titles);
  await chaos.dispose();
});

for (const direction of ["to_server", "to_client", "both"] as const) {
  test(`a line that is half-open (${direction}): the page never says that all is saved, finds out by itself, and what was typed arrives once`, async ({
    board,
    browser,
    server,
  }) => {
    test.setTimeout(120_000);
    const { chaos, ada, bo } = await plan(browser, server, board);
    await ada.isSaved();
    await chaos.set({ fault: "half_open", direction });
    await ada.addCards("To do", "Into the silence");
    await expect(ada.page.locator('.pill[data-state="saved"]')).toHaveCount(0);
    // It is given up by its own time limits, and said to be.
    await expect(ada.page.locator(".pill-count")).toHaveText("1", { timeout: 60_000 });
    await chaos.clear();
    await ada.isSaved();
    await expect(bo.cards("To do")).toHaveText(["Into the silence"]);
    await chaos.dispose();
  });
}

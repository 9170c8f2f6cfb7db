import { rm } from "node:fs/promises";
import { type Browser, type BrowserContextOptions, expect } from "@playwright/test";
import { Blocking } from "./blocking.ts";
import { type Board, createBoard } from "./board.ts";
import { Chaos } from "./chaos.ts";
import { holdDatabase } from "./device.ts";
import { Person } from "./person.ts";
import { type Server } from "./server.ts";
import { anotherSite } from "./site.ts";
import { Wire } from "./wire.ts";

/** What a state is made on. */
export interface Stage {
  browser: Browser;
  server: Server;
  board: Board;
  options: BrowserContextOptions;
}

/** Someone in a state that the table of states has; what is used up for it goes by `done`. */
export interface Shown {
  who: Person;
  done(): Promise<void>;
}

const nothing = async () => {};

async function plan({ browser, board, options }: Stage, url = board.editUrl): Promise<Person> {
  const ada = await Person.at(browser, url, options);
  if ((await ada.page.locator(".list").count()) === 0) {
    await ada.addList("To do");
    await ada.addCards("To do", "Splice the mooring lines", "Order lamp oil", "Ask Bo about the tide tables");
    await ada.addList("Doing");
    await ada.addCards("Doing", "Mend the jib");
    await ada.isSaved();
  }
  return ada;
}

async function behindChaos(stage: Stage): Promise<{ chaos: Chaos; who: Person }> {
  const chaos = await Chaos.start(stage.server.url);
  return { chaos, who: await plan(stage, `${chaos.url}/b/${stage.board.editKey}`) };
}

const is = (who: Person, state: string) => expect(who.page.locator(`.pill[data-state="${state}"]`)).toBeVisible({ timeout: 40_000 });

/** The rows of the table of states, each really made. */
export const states: Record<string, (stage: Stage) => Promise<Shown>> = {
  async connecting(stage) {
    await plan(stage);
    const chaos = await Chaos.start(stage.server.url);
    const page = await (await stage.browser.newContext(stage.options)).newPage();
    await page.route("**/*.wasm", async (route) => {
      const answer = await route.fetch();
      await chaos.set({ fault: "silent_handshake" });
      await route.fulfill({ response: answer });
    });
    await page.goto(`${chaos.url}/b/${stage.board.editKey}`);
    const who = Person.on(page);
    await is(who, "connecting");
    return { who, done: () => chaos.dispose() };
  },

  async reading(stage) {
    const first = await plan(stage);
    const page = await first.page.context().newPage();
    await page.goto(new URL("/api/ping", stage.server.url).href);
    const release = await holdDatabase(page);
    const who = Person.on(await first.page.context().newPage());
    await who.page.goto(stage.board.editUrl);
    await is(who, "reading");
    return { who, done: release };
  },

  async saved(stage) {
    return { who: await plan(stage), done: nothing };
  },

  async saving(stage) {
    const { chaos, who } = await behindChaos(stage);
    await chaos.set({ fault: "half_open", direction: "to_server" });
    await who.addCards("Doing", "Dry the sails", "Count the fenders", "Paint the buoys");
    await is(who, "saving");
    return { who, done: () => chaos.dispose() };
  },

  async reconnecting(stage) {
    const { chaos, who } = await behindChaos(stage);
    await chaos.set({ fault: "refuse" });
    await chaos.cut();
    await who.addCards("Doing", "Dry the sails");
    await is(who, "reconnecting");
    await expect(who.page.locator(".mark")).toHaveCSS("opacity", "1");
    return { who, done: () => chaos.dispose() };
  },

  async offline(stage) {
    const who = await plan(stage);
    await who.page.context().setOffline(true);
    await who.addCards("Doing", "Dry the sails", "Count the fenders");
    await is(who, "offline");
    await expect(who.page.locator(".mark").last()).toHaveCSS("opacity", "1");
    return { who, done: nothing };
  },

  async back(stage) {
    const who = await plan(stage);
    await who.page.context().setOffline(true);
    await is(who, "offline");
    await who.page.context().setOffline(false);
    await expect(who.page.locator(".toast")).toHaveText(["You're back online!"]);
    return { who, done: nothing };
  },

  async unreachable(stage) {
    const who = await plan(stage);
    await stage.server.kill();
    await who.addCards("Doing", ...Array.from({ length: 12 }, (_, n) => `Wash deck ${n + 1}`));
    await is(who, "unreachable");
    return { who, done: () => stage.server.restart() };
  },

  async "not-saving"(stage) {
    if (!(await stage.server.moveToSmallDisk(4))) throw new Error("A disk of the test's own takes root.");
    const who = await plan({ ...stage, board: await createBoard(stage.server.url) });
    await stage.server.fillDisk();
    await who.addCards("Doing", "Dry the sails", "Count the fenders");
    await is(who, "not-saving");
    return { who, done: () => stage.server.makeRoom() };
  },

  async captive(stage) {
    const { chaos, who } = await behindChaos(stage);
    await chaos.set({ fault: "portal" });
    await chaos.cut();
    await who.addCards("Doing", "Dry the sails");
    await is(who, "captive");
    return { who, done: () => chaos.dispose() };
  },

  async refused(stage) {
    const who = await plan(stage);
    const wire = new Wire(stage.server.direct, stage.board.editKey);
    await wire.connect();
    const mend = wire.log.map(({ change }) => change).find((change) => change?.kind === "add_card" && JSON.stringify(change).includes("Mend the jib"))!;
    await who.page.context().setOffline(true);
    const details = await who.open("Mend the jib");
    await details.getByLabel("Add a label").fill("urgent repair");
    await details.getByLabel("Add a label").press("Enter");
    await who.page.keyboard.press("Escape");
    for (let n = 1; n <= 20; n += 1) await wire.offer({ kind: "set_label", card: mend["card"], label: `L${n}`, on: true });
    await who.page.context().setOffline(false);
    await expect(who.page.locator('[data-strip="refused"]')).toBeVisible();
    await who.page.locator('.toast [aria-label="Close"]').first().click();
    return { who, done: nothing };
  },

  async unkept(stage) {
    const context = await stage.browser.newContext(stage.options);
    await context.addInitScript(() => {
      const refuse = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
      Storage.prototype.setItem = refuse;
      IDBObjectStore.prototype.put = refuse;
    });
    await plan(stage);
    const who = await Person.in(context, stage.board.editUrl);
    await context.setOffline(true);
    await who.addCards("Doing", "Dry the sails");
    await expect(who.page.locator('[data-strip="unkept"]')).toBeVisible();
    return { who, done: nothing };
  },

  async ended(stage) {
    const who = await plan(stage);
    await stage.server.kill();
    await who.addCards("Doing", "Dry the sails");
    // As an owner does it who puts a new key in the old one's place.
    await stage.server.sql("delete from keys where access = 'edit'");
    await stage.server.restart();
    await is(who, "ended");
    return { who, done: nothing };
  },

  async version(stage) {
    const who = await plan(stage);
    const site = await anotherSite();
    stage.server.options.args = [...(stage.server.options.args ?? []), "--site", site];
    await stage.server.restart();
    await expect(who.page.locator(".toast").filter({ hasText: "There is a new version." })).toBeVisible({ timeout: 40_000 });
    return { who, done: () => rm(site, { recursive: true }) };
  },

  async "view-only"(stage) {
    await plan(stage);
    return { who: await Person.at(stage.browser, stage.board.viewUrl, stage.options), done: nothing };
  },

  async panel(stage) {
    const who = await plan(stage);
    await who.page.locator(".pill-words").click();
    await expect(who.page.locator(".latency path")).toHaveAttribute("d", /L.*L/, { timeout: 15_000 });
    await stage.server.kill();
    await is(who, "unreachable");
    return { who, done: () => stage.server.restart() };
  },

  async "over-http"(stage) {
    const proxy = await Blocking.start(() => Number(new URL(stage.server.direct).port));
    const who = await plan(stage, `${proxy.url}/b/${stage.board.editKey}`);
    await who.page.locator(".pill-words").click();
    await expect(who.page.locator("dl.facts dd").filter({ hasText: "over HTTP" })).toBeVisible();
    await expect(who.page.locator(".latency path")).toHaveAttribute("d", /L.*L/, { timeout: 15_000 });
    return { who, done: () => proxy.dispose() };
  },

  async tools(stage) {
    const who = await plan(stage);
    await who.page.locator(".pill-words").click();
    await who.page.getByLabel("Tools that make the network bad").check();
    await who.page.keyboard.press("Escape");
    const slow = who.page.getByRole("button", { name: "Slow 3G" });
    if (!(await slow.isVisible())) await who.page.getByRole("button", { name: "Network tools", exact: true }).click();
    await slow.click();
    // By keyboard: on a narrow window the tools are over the cards.
    await who.card("Mend the jib").getByRole("button", { name: "Mend the jib", exact: true }).focus();
    await who.page.keyboard.press("x");
    await is(who, "saving");
    await expect(who.page.locator(".sequence")).toContainText("changes");
    return { who, done: nothing };
  },
};

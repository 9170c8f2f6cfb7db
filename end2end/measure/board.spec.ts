// What a board costs the browser: on slow lines and a quarter of the processor, with many cards, with many changes waiting, for long.
import type { CDPSession, Page } from "@playwright/test";
import { Chaos } from "../support/chaos.ts";
import { fill } from "../support/fill.ts";
import { test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";

/** As Chromium's own tools have them: milliseconds, and bits a second. */
const LINES = {
  "Fast 3G": { latency: 562.5, rate: 1_440_000 },
  "Slow 3G": { latency: 2_000, rate: 400_000 },
} as const;

const LISTS = ["To do", "Doing", "Waiting", "Done"];

/** A page on a slower processor. */
async function slowed(page: Page, times = 4): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: times });
  return session;
}

/** When the page was first painted, in milliseconds. */
async function painted(page: Page): Promise<number> {
  return await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);
}

const ms = (time: number): string => `${time.toFixed(0)} ms`;

for (const [name, { latency, rate }] of Object.entries(LINES)) {
  test(`a board of 200 cards over ${name}, a quarter of the processor`, async ({ board, browser, server }) => {
    await fill(server.url, board.editKey, 200, LISTS);
    const page = await (await browser.newContext({ serviceWorkers: "block" })).newPage();
    const session = await slowed(page);
    await session.send("Network.enable");
    const throughput = rate / 8;
    const conditions = { offline: false, latency, downloadThroughput: throughput, uploadThroughput: throughput };
    await session.send("Network.emulateNetworkConditions", conditions);
    const start = Date.now();
    await page.goto(board.editUrl, { waitUntil: "commit" });
    await page.locator(".card").nth(199).waitFor({ state: "attached", timeout: 120_000 });
    const readable = Date.now() - start;
    await page.locator('.pill[data-state="saved"]').waitFor({ timeout: 120_000 });
    console.log(`${name}: painted ${ms(await painted(page))}, all cards there ${ms(readable)}, in sync ${ms(Date.now() - start)}`);
  });
}

for (const [processor, times] of [["the whole processor", 1], ["a quarter of it", 4]] as const) {
  test(`a board of 10,000 cards opens and scrolls, ${processor}`, async ({ board, browser, server }) => {
    await fill(server.url, board.editKey, 10_000, LISTS);
    const page = await (await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } })).newPage();
    await slowed(page, times);
    const start = Date.now();
    await page.goto(board.editUrl, { waitUntil: "commit" });
    await page.locator('.pill[data-state="saved"]').waitFor({ timeout: 240_000 });
    console.log(`10,000 cards, ${processor}: painted ${ms(await painted(page))}, in sync ${ms(Date.now() - start)}`);
    const frames = await page.evaluate(async () => {
      const scroller = document.querySelector(".cards")!;
      const times: number[] = [];
      let before = await new Promise<number>(requestAnimationFrame);
      for (let n = 0; n < 480; n += 1) {
        scroller.scrollTop += 60;
        const now = await new Promise<number>(requestAnimationFrame);
        times.push(now - before);
        before = now;
      }
      if (scroller.scrollTop < 28_000) throw new Error("it has not scrolled");
      return times.sort((a, b) => a - b);
    });
    const at = (share: number) => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))]!.toFixed(1);
    console.log(`scrolled by 60 px a frame: ${at(0.5)} ms (median), ${at(0.9)} (of ten, nine), ${at(0.95)} (of 20, 19), ${at(1)} (longest)`);
  });
}

/** Adds cards to “Mine” as fast as the page takes them: Playwright's own typing takes a tenth of a second for each. */
async function type(person: Person, titles: string[]): Promise<void> {
  const field = person.list("Mine").getByLabel("New card");
  if (!(await field.isVisible())) await person.list("Mine").getByRole("button", { name: "Add card" }).click();
  const longest = await field.evaluate(async (field, titles) => {
    let longest = 0;
    for (const title of titles) {
      const start = performance.now();
      (field as HTMLTextAreaElement).value = title;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
      longest = Math.max(longest, performance.now() - start);
      await new Promise(requestAnimationFrame);
    }
    return longest;
  }, titles);
  console.log(`${titles.length} cards typed: the longest that a key took is ${longest.toFixed(1)} ms`);
}

test("1,000 changes wait, and one by somebody else comes", async ({ board, browser, server }) => {
  const { wire } = await fill(server.url, board.editKey, 200, LISTS);
  const chaos = await Chaos.start(server.url);
  const context = await browser.newContext({ serviceWorkers: "block" });
  await context.addInitScript(() => {
    const page = window as unknown as { awaited: string; heard: number };
    page.awaited = "nothing yet";
    const Original = WebSocket;
    window.WebSocket = class extends Original {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener("message", ({ data }) => {
          if (String(data).includes(page.awaited)) page.heard = performance.now();
        });
      }
    };
  });
  const ada = await Person.in(context, `${chaos.url}/b/${board.editKey}`);
  await ada.addList("Mine");
  await ada.isSaved();
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await ada.page.context().setOffline(true);
    await chaos.set({ fault: "offline" });
    await type(ada, Array.from({ length: 1_000 }, (_, n) => `Mine ${round}, ${n}`));
    await ada.keeps(1_000);
    await wire.offer({ kind: "rename_board", title: `Theirs ${round}` });
    await ada.page.evaluate((title) => {
      const page = window as unknown as { awaited: string; shown: number };
      page.awaited = title;
      page.shown = 0;
      const look = (): void => {
        if (document.querySelector(".board-title")!.textContent!.includes(title)) page.shown = performance.now();
        else requestAnimationFrame(look);
      };
      look();
    }, `Theirs ${round}`);
    await chaos.clear();
    await ada.page.context().setOffline(false);
    await ada.page.waitForFunction(() => (window as unknown as { shown: number }).shown > 0);
    times.push(
      await ada.page.evaluate(() => {
        const { shown, heard } = window as unknown as { heard: number; shown: number };
        return shown - heard;
      }),
    );
    await ada.isSaved();
  }
  console.log(`1,000 waiting: a foreign change is on the page after ${times.map(ms).join(", ")}`);
  await chaos.dispose();
});

test("memory, while a board is edited for long", async ({ board, browser, server }) => {
  const MINUTES = 3;
  const { wire, cards } = await fill(server.url, board.editKey, 200, LISTS);
  const context = await browser.newContext({ serviceWorkers: "block" });
  await context.addInitScript(() => {
    const page = window as unknown as { memory?: WebAssembly.Memory };
    const original = WebAssembly.instantiateStreaming.bind(WebAssembly);
    WebAssembly.instantiateStreaming = async (source, imports) => {
      const program = await original(source, imports);
      page.memory = program.instance.exports["memory"] as WebAssembly.Memory;
      return program;
    };
  });
  const { page } = await Person.in(context, board.editUrl);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  const look = async (edits: number): Promise<void> => {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const metric = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
    const program = await page.evaluate(() => (window as unknown as { memory?: WebAssembly.Memory }).memory?.buffer.byteLength ?? 0);
    const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    console.log(`after ${edits} edits: scripts ${mib(metric("JSHeapUsedSize"))}, the program ${mib(program)}, ${metric("Nodes")} nodes, ${metric("JSEventListeners")} listeners`);
  };
  let edits = 0;
  for (let minute = 0; minute <= MINUTES; minute += 1) {
    await look(edits);
    const until = Date.now() + 60_000;
    while (minute < MINUTES && Date.now() < until) {
      const renames = Array.from({ length: 19 }, (_, n) => {
        const card = cards[(edits + n) % cards.length]!;
        return wire.offer({ kind: "rename_card", card, title: `Card, renamed ${edits + n}` });
      });
      await Promise.all([...renames, wire.offer({ kind: "rename_board", title: `Day ${edits}` })]);
      edits += 20;
    }
  }
});

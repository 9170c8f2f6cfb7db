import { expect, test } from "@playwright/test";
import { createBoard } from "../support/board.ts";
import { Server } from "../support/server.ts";
import { type Stage, acts } from "./acts.ts";
import { Errors } from "./errors.ts";
import { type Seen, Unanswered, answers, difference, kept, look, prepare, within } from "./look.ts";
import { Other } from "./other.ts";
import { Random } from "./random.ts";
import { Typed } from "./typed.ts";

const STEPS = Number(process.env["MONKEY_STEPS"] ?? 1_500);
const SEEDS = (process.env["MONKEY_SEED"] ?? "1").split(/[\s,]+/).map(Number);
/** Looks for errors alone: for a program that keeps no drafts. */
const ONLY_ERRORS = process.env["MONKEY_ONLY"] === "errors";

/** The probability that the second person acts in a step. */
const OTHER_ACTS = 0.25;
/** After so many steps all faults end, and everybody must have the same board. */
const ROUND = 60;
/** After so many rounds everybody goes on with a new board: the cards that were archived make each step slow. */
const ROUNDS_ON_A_BOARD = 20;
/** What is drawn may be this late behind what is held, and what is kept behind what is typed. */
const LATE_MS = 3_000;
/** Longest time that one act takes. */
const ACT_MS = 20_000;

/** Does one thing that can be done here. Returns what it was. */
async function actOnce(stage: Stage): Promise<string> {
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const act = stage.random.weighted(acts);
    // Some calls of the browser are never answered, as when a page goes away. Whether the page itself answers is checked after each step.
    const done = await within(ACT_MS, act(stage)).catch((error: unknown) => `${act.name}: ${String(error).split("\n")[0]}`);
    if (done !== undefined) return done;
  }
  return "nothing can be done here";
}

for (const seed of SEEDS) {
  test(`seed ${seed}: nothing breaks, nothing lies, nothing typed is lost in ${STEPS} steps`, async ({ browser }) => {
    test.setTimeout(60_000 + STEPS * 2_000);
    const server = await Server.start({ args: ["--max-boards-per-hour", "100000"] });
    // Every other person wants no motion: each frame of one costs as much as a key.
    const reducedMotion = seed % 2 === 0 ? "reduce" : "no-preference";
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await prepare(context);
    const errors = new Errors(context);
    const readers = await browser.newContext();
    await prepare(readers);
    const readerErrors = new Errors(readers);

    const board = await createBoard(server.direct);
    const other = new Other(server, board);
    await other.connect();
    const stage: Stage = {
      page: await context.newPage(),
      context,
      server,
      other,
      random: new Random(seed),
      typed: new Typed(),
      errors,
      step: 0,
      offline: false,
    };
    stage.page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
    const reader = await readers.newPage();
    await stage.page.goto(other.url);
    await reader.goto(other.url);

    const steps: string[] = [];
    const replay = `make monkey SEED=${seed} STEPS=${STEPS}`;
    const fail = (why: string): never => {
      throw new Error(`step ${stage.step}: ${why}\n\nThe last steps:\n${steps.slice(-40).join("\n")}\n\nAgain: ${replay}`);
    };
    const check = async (): Promise<Seen> => {
      const until = Date.now() + LATE_MS;
      for (;;) {
        const seen = await look(stage.page).catch(async (error: unknown) => {
          // Back has led to before the first page; or the page answers, and Playwright lost it over a navigation that ended another.
          const elsewhere = stage.page.url() === "about:blank" || (error instanceof Unanswered && (await answers(stage.page)));
          if (!elsewhere) return fail(`at ${stage.page.url()}: ${String(error)}`);
          await stage.page.goto(other.url, { waitUntil: "commit" });
          return await look(stage.page);
        });
        const found = [...errors.found, ...readerErrors.found];
        if (found.length > 0) fail(found.join("\n"));
        if (ONLY_ERRORS) return seen;
        other.take();
        stage.typed.discard(seen.discarded);
        const differs = seen.held ? difference(seen.shown, seen.held) : "";
        let lost = stage.typed.lost(seen, () => other.log);
        if (lost.length > 0) lost = stage.typed.lost(seen, () => other.log, await kept(stage.page).catch(() => ""));
        const waiting = seen.waiting.filter((name) => name.startsWith(`sheetbend/outbox/${other.board.id}/`)).length;
        const here = seen.path === new URL(other.url).pathname;
        const lies = here && seen.status === "saved" && waiting > 0 ? `“Saved”, while ${waiting} changes wait` : "";
        const elsewhere = seen.home === (seen.path === "/") ? "" : `the address is ${seen.path}, and the list of boards is ${seen.home ? "" : "not "}shown`;
        const wrong = [differs, lies, elsewhere, ...lost].filter((text) => text !== "");
        if (wrong.length === 0) return seen;
        if (Date.now() > until) fail(wrong.join("\n"));
      }
    };
    const begin = async (): Promise<void> => {
      await other.leaveFor(await createBoard(server.direct));
      steps.push("      a new board");
      for (const page of [stage.page, reader]) {
        await page.goto(other.url);
        await page.locator('.pill[data-state="saved"]').waitFor({ timeout: 30_000 });
      }
    };
    const settle = async (): Promise<void> => {
      if (!server.running) await server.restart();
      stage.offline = false;
      await context.setOffline(false);
      if (stage.page.url() !== other.url) {
        await stage.page.goto(other.url);
        steps.push("      go back to the board");
      }
      for (const page of [stage.page, reader]) {
        if (page.url() !== other.url) await page.goto(other.url);
        const reset = page.locator('.network-tools button:has-text("Reset")');
        if ((await reset.count()) > 0) await reset.first().click({ timeout: 300, force: true }).catch(() => {});
        await page
          .locator('.pill:is([data-state="saved"], [data-state="attention"])')
          .waitFor({ timeout: 60_000 })
          .catch(async () => fail(`not in sync after all faults ended: ${await page.locator(".pill").getAttribute("data-state", { timeout: 1_000 }).catch(() => "no status")}`));
      }
      await expect
        .poll(async () => difference((await look(stage.page)).held ?? [], (await look(reader)).held ?? []), { timeout: 30_000, message: `step ${stage.step}: two people have the same board; again: ${replay}` })
        .toBe("");
    };

    let last = await look(stage.page);
    const once = async (): Promise<void> => {
      stage.step += 1;
      steps.push(`${String(stage.step).padStart(5)} ${await actOnce(stage)}`);
      if (stage.random.happens(OTHER_ACTS) && server.running && last.path === new URL(other.url).pathname) {
        steps.push(`      another person: ${await other.act(stage.random, last.held ?? last.shown, stage.step)}`);
      }
      last = await check();
    };
    await stage.page.locator('.pill[data-state="saved"]').waitFor({ timeout: 30_000 });
    // Without the service worker, a page that is loaded again offline is the browser's own.
    await stage.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    try {
      while (stage.step < STEPS) {
        const end = Math.min(stage.step + ROUND, STEPS);
        // Outside of a step of the test, each call of the browser searches all calls before it for one.
        await test.step(`steps ${stage.step + 1} to ${end}`, async () => {
          while (stage.step < end) await once();
          await settle();
          stage.typed.lookAgain();
          last = await check();
          if (stage.step % (ROUND * ROUNDS_ON_A_BOARD) === 0) await begin();
          last = await check();
        });
      }
    } catch (error) {
      await test.info().attach("steps.txt", { body: steps.join("\n"), contentType: "text/plain" });
      throw error;
    } finally {
      console.log(`Seed ${seed}: ${stage.step} steps; words: ${stage.typed.summary()}.`);
      if (test.info().status !== "passed") await test.info().attach("server.log", { body: server.log, contentType: "text/plain" });
      other.disconnect();
      await Promise.all([context.close(), readers.close()]);
      await server.dispose();
    }
  });
}

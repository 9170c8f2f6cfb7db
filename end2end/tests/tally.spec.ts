// The engine and the connection components in another app: examples/tally.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { allowErrors, expect, NETWORK, test as base } from "../support/fixtures.ts";
import { running } from "../support/server.ts";

const folder = path.resolve(import.meta.dirname, "../../examples/tally");

/** A tally of the test's own, at `url`; `kill` and `start` leave its data as it is. */
class Tally {
  readonly url: string;
  private child?: ChildProcess;

  constructor(
    readonly data: string,
    private readonly port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const target = process.env["CARGO_TARGET_DIR"] ?? path.join(folder, "target");
    const program = path.join(target, "debug/tally");
    if (!existsSync(program)) throw new Error(`${program} is not there: \`make tally\` makes it.`);
    const env = { ...process.env, LEPTOS_SITE_ADDR: `127.0.0.1:${this.port}` };
    this.child = spawn(program, [this.data], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    running.add(this.child);
    this.child.once("exit", () => running.delete(this.child!));
    await once(this.child.stdout!, "data");
  }

  async kill(): Promise<void> {
    allowErrors(NETWORK);
    const ended = once(this.child!, "exit");
    this.child!.kill("SIGKILL");
    await ended;
  }
}

const test = base.extend<{ tally: Tally }>({
  tally: async ({}, use, { workerIndex }) => {
    const data = await mkdtemp(path.join(tmpdir(), "tally-"));
    const tally = new Tally(data, 3_200 + workerIndex);
    await tally.start();
    await use(tally);
    await tally.kill();
    await rm(data, { recursive: true, force: true, maxRetries: 5 });
  },
});

test("two people count, one of them while the server is away: all of it is there in the end, once", async ({ browser, tally }) => {
  const open = async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(tally.url);
    await expect(page.locator('.pill[data-state="saved"]')).toBeVisible();
    return page;
  };
  const [ada, bo] = [await open(), await open()];
  await ada.getByLabel("Name").fill("Herons");
  await ada.getByRole("button", { name: "Count" }).click();
  const herons = (page: typeof ada) => page.locator("li").filter({ hasText: "Herons" });
  await expect(herons(bo)).toContainText("Herons: 1");

  await tally.kill();
  for (let n = 0; n < 3; n++) await herons(ada).getByRole("button", { name: "+ 1" }).click();
  await expect(herons(ada)).toContainText("Herons: 4");
  await expect(ada.locator('.pill[data-state="unreachable"]')).toContainText("Can't reach the server");
  await expect(ada.locator(".toast")).toContainText(["No answer from the server."]);
  await ada.locator(".pill-words").click();
  await expect(ada.locator(".changes li").first()).toContainText("Count Herons:");
  await tally.start();
  await expect(ada.locator('.pill[data-state="saved"]')).toBeVisible({ timeout: 30_000 });
  await expect(herons(bo)).toContainText("Herons: 4", { timeout: 30_000 });
});

test("what can never be accepted is said at once", async ({ browser, tally }) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(tally.url);
  await expect(page.locator('.pill[data-state="saved"]')).toBeVisible();
  await page.getByRole("button", { name: "Count" }).click();
  await expect(page.locator(".toast")).toHaveText(["A name has 1 to 40 characters."]);
});

/** Firefox, by WebDriver BiDi. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import puppeteer, { type Browser as Puppeteer, type BrowserContext, type KeyInput, type Page } from "puppeteer-core";
import { type Browser, type LaunchOptions, type PointerStep, Window } from "./driver.ts";

/** What Firefox reports as an error of the page when a server refuses a connection. */
const REFUSED = /can.t establish a connection to the server|NetworkError when attempting to fetch|connection to .* was interrupted/;

/** A running Firefox. Tests share it: each has a container of its own (BiDi: a user context), and so storage of its own. */
export class FirefoxProcess {
  private constructor(
    private readonly puppeteer: Puppeteer,
    private readonly profile: string,
  ) {}

  /** Starts one with a new profile, or with that of one that was killed. */
  static async launch({ dark = false }: LaunchOptions, killed?: FirefoxProcess): Promise<FirefoxProcess> {
    const profile = killed?.profile ?? (await mkdtemp(path.join(tmpdir(), "sheetbend-firefox-")));
    const launched = await puppeteer.launch({
      browser: "firefox",
      executablePath: process.env["FIREFOX"] || "/usr/bin/firefox-esr",
      headless: true,
      userDataDir: profile,
      defaultViewport: null,
      args: ["--width=1280", "--height=800"],
      extraPrefsFirefox: { "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1 },
    });
    return new FirefoxProcess(launched, profile);
  }

  async browser(): Promise<Browser> {
    return new Firefox(await this.puppeteer.createBrowserContext());
  }

  /** The browser without a container: what it stores is in the profile. */
  profiled(): Browser {
    return new Firefox(this.puppeteer.defaultBrowserContext());
  }

  /** Kills it, as a crash does. The profile stays. */
  async kill(): Promise<void> {
    const child = this.puppeteer.process()!;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }

  async close(): Promise<void> {
    await this.puppeteer.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Firefox implements Browser {
  readonly problems: string[] = [];

  constructor(private readonly container: BrowserContext) {}

  async window(url: string): Promise<Window> {
    const page = await this.container.newPage({ type: "window" });
    page.setDefaultTimeout(20_000);
    const note = (problem: string): void => {
      if (!REFUSED.test(problem)) this.problems.push(problem);
    };
    page.on("pageerror", (error) => note(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") note(message.text());
    });
    const window = new FirefoxWindow(page);
    await window.open(url);
    return window;
  }

  async close(): Promise<void> {
    await this.container.close();
  }
}

class FirefoxWindow extends Window {
  constructor(private readonly page: Page) {
    super();
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
  }

  async reload(): Promise<void> {
    await this.page.reload();
  }

  async back(): Promise<void> {
    await this.page.goBack();
  }

  async forward(): Promise<void> {
    await this.page.goForward();
  }

  async evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R> {
    return (await this.page.evaluate(`(${run})(...${JSON.stringify(args)})`)) as R;
  }

  async type(text: string): Promise<void> {
    await this.page.bringToFront();
    await this.page.keyboard.type(text);
  }

  async keys(...keys: string[]): Promise<void> {
    await this.page.bringToFront();
    for (const chord of keys) {
      const held = chord.split("+") as KeyInput[];
      const key = held.pop()!;
      for (const modifier of held) await this.page.keyboard.down(modifier);
      await this.page.keyboard.press(key);
      for (const modifier of held) await this.page.keyboard.up(modifier);
    }
  }

  async pointer(...steps: PointerStep[]): Promise<void> {
    await this.page.bringToFront();
    for (const step of steps) {
      if (step === "down") await this.page.mouse.down();
      else if (step === "up") await this.page.mouse.up();
      else await this.page.mouse.move(...step.to);
    }
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from(await this.page.screenshot());
  }

  async close(): Promise<void> {
    await this.page.close({ runBeforeUnload: false });
  }
}

import { test as base, expect } from "@playwright/test";
import { type Board, createBoard } from "../support/board.ts";
import { Server } from "../support/server.ts";
import type { Browser, LaunchOptions } from "./driver.ts";
import { FirefoxProcess } from "./firefox.ts";
import { WebKit } from "./webkit.ts";

export { expect };

interface Fixtures {
  /** How the test's `browser` is started: `test.use({ launchOptions: { dark: true } })`. */
  launching: LaunchOptions;
  /** A browser of this test's own, which the project names. The test fails if a page of it has had an error that nobody caught. */
  driven: Browser;
  /** A server of this test's own, which it may kill and restart. */
  server: Server;
  /** A new board on `server`. */
  board: Board;
}

interface WorkerFixtures {
  /** A Firefox for each way to start it: starting one takes seconds. */
  firefoxes: Map<boolean, Promise<FirefoxProcess>>;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  launching: [{}, { option: true }],

  firefoxes: [
    async ({}, use) => {
      const firefoxes = new Map<boolean, Promise<FirefoxProcess>>();
      await use(firefoxes);
      for (const firefox of firefoxes.values()) await (await firefox).close();
    },
    { scope: "worker" },
  ],

  driven: async ({ firefoxes, launching }, use, testInfo) => {
    const firefox = async (): Promise<Browser> => {
      const running = firefoxes.get(launching.dark ?? false) ?? FirefoxProcess.launch(launching);
      firefoxes.set(launching.dark ?? false, running);
      return await (await running).browser();
    };
    const browser = testInfo.project.name === "firefox" ? await firefox() : await WebKit.launch(launching);
    await use(browser);
    await browser.close();
    expect(browser.problems, "uncaught errors and console errors").toEqual([]);
  },

  server: async ({}, use, testInfo) => {
    const server = await Server.start();
    await use(server);
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    await server.dispose();
  },

  board: async ({ server }, use) => {
    await use(await createBoard(server.url));
  },
});

import { expect, test as base } from "@playwright/test";
import { type Board, createBoard } from "./board.ts";
import { allowErrors, beginErrors, hearBrowser, NETWORK, unexpectedErrors } from "./errors.ts";
import { overHttp, Server, type ServerOptions } from "./server.ts";
import { BROWSER_DIED } from "./summary.ts";

export { expect } from "@playwright/test";
export { createBoard } from "./board.ts";
export { allowErrors, CRASH, NETWORK, status } from "./errors.ts";
export { Server } from "./server.ts";

interface TestFixtures {
  /** What the test's `server` is started with: `test.use({ serverOptions: { args: [...] } })`. */
  serverOptions: ServerOptions;
  /** A server of this test's own, which it may kill and restart. */
  server: Server;
  /** A new board on `server`. */
  board: Board;
  /**
   * Closes what the test has opened: a page that is left behind tries to reach its server for as long as the browser lives. Fails the test
   * on every uncaught error and console error that it did not allow (`allowErrors`). Notes it if the browser itself has died, which several
   * tests share and none of them ends.
   */
  closing: void;
}

interface WorkerFixtures {
  /** A server that the tests of a worker share: leave it running. */
  sharedServer: Server;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  serverOptions: [{}, { option: true }],

  server: async ({ serverOptions }, use, testInfo) => {
    const server = await Server.start(serverOptions);
    await use(server);
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    await server.dispose();
  },

  board: async ({ server }, use) => {
    await use(await createBoard(server.url));
  },

  closing: [
    async ({ browser }, use, testInfo) => {
      hearBrowser(browser);
      beginErrors();
      if (overHttp) allowErrors(NETWORK);
      await use();
      if (!browser.isConnected()) testInfo.annotations.push({ type: BROWSER_DIED });
      await Promise.all(browser.contexts().map((context) => context.close()));
      expect(unexpectedErrors(), "uncaught errors and console errors").toEqual([]);
    },
    { auto: true },
  ],

  sharedServer: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.dispose();
    },
    { scope: "worker" },
  ],
});

// With no network the app opens from what the service worker keeps; new versions of it come whole; and it can be got rid of.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BrowserContext, chromium, type Page } from "@playwright/test";
import { expect, Server, test } from "../support/fixtures.ts";
import { createBoard } from "../support/board.ts";
import { Person } from "../support/person.ts";
import { anotherSite } from "../support/site.ts";
import { isReady } from "../support/worker.ts";

async function cached(page: Page): Promise<string[]> {
  return await page.evaluate(() => caches.keys());
}

test("the server gone and the browser closed and started again: a known board opens, takes edits, and syncs them when the server is back", async ({
  board,
  launchOptions,
  server,
}) => {
  const folder = await mkdtemp(path.join(tmpdir(), "sheetbend-browser-"));
  const launch = () => chromium.launchPersistentContext(folder, launchOptions);
  let context: BrowserContext = await launch();
  let ada = await Person.in(context, board.editUrl);
  await ada.addList("To do");
  await ada.addCards("To do", "Before");
  await ada.isSaved();
  await isReady(ada.page);
  await context.close();
  await server.kill();

  context = await launch();
  const page = await context.newPage();
  await page.goto(board.editUrl);
  ada = Person.on(page);
  await expect(ada.cards("To do")).toHaveText(["Before"], { timeout: 20_000 });
  await ada.addCards("To do", "Without a network");
  await expect(ada.page.locator('.pill[data-state="unreachable"] .pill-count')).toBeVisible();
  await context.close();

  context = await launch();
  const again = await context.newPage();
  await again.goto(board.editUrl);
  ada = Person.on(again);
  await expect(ada.cards("To do")).toHaveText(["Before", "Without a network"], { timeout: 20_000 });
  await server.restart();
  await ada.isSaved();
  await context.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("with no network a new board can be made, and one that was never opened here says so", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await isReady(ada.page);
  const other = await createBoard(server.url);
  await server.kill();
  await ada.page.goto(server.url);
  await ada.page.getByRole("button", { name: "New board", exact: true }).click();
  await ada.addList("Made at sea");
  await ada.page.reload();
  await expect(ada.list("Made at sea")).toBeVisible({ timeout: 20_000 });
  await ada.page.goto(other.editUrl);
  await expect(ada.page.getByRole("heading", { name: "This board is not on this device" })).toBeVisible({ timeout: 20_000 });
  await server.restart();
  await expect(ada.page.getByRole("button", { name: "Add list" }), "asked for again by itself").toBeVisible();
});

test("the worker answers nothing under /api/", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await isReady(ada.page);
  const kept = await ada.page.evaluate(async () => {
    const caches = await window.caches.keys();
    const lists = await Promise.all(caches.map(async (name) => (await (await window.caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)));
    return lists.flat();
  });
  expect(kept).toContain("/shell");
  expect(kept.filter((name) => name.startsWith("/api/") || name.startsWith("/b/"))).toEqual([]);
  await server.kill();
  expect(await ada.page.evaluate(() => fetch("/api/ping").then(() => "answered", () => "no answer"))).toBe("no answer");
});

test("a new version: offered when all is saved and not before, and it comes whole", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  await ada.addList("To do");
  await ada.isSaved();
  await isReady(ada.page);
  const [before] = await cached(ada.page);
  await server.kill();
  // A full queue.
  await ada.addCards("To do", "One", "Two", "Three");
  const site = await anotherSite();
  server.options.args = [...(server.options.args ?? []), "--site", site];
  await server.restart();
  const offer = ada.page.locator(".toast").filter({ hasText: "There is a new version." });
  await ada.page.evaluate(() => {
    // Whether it is ever offered while something is not saved.
    new MutationObserver(() => {
      const saved = document.querySelector(".pill")!.getAttribute("data-state") === "saved";
      if (document.body.textContent!.includes("There is a new version.") && !saved) document.body.dataset["early"] = "yes";
    }).observe(document.body, { subtree: true, childList: true });
  });
  await expect(offer).toBeVisible({ timeout: 40_000 });
  expect(await ada.page.evaluate(() => document.body.dataset["early"])).toBeUndefined();
  await ada.isSaved();
  await expect.poll(async () => (await cached(ada.page)).length).toBe(2);
  await Promise.all([ada.page.waitForEvent("load"), offer.getByRole("button", { name: "Reload" }).click()]);
  await ada.isSaved();
  await expect(ada.cards("To do")).toHaveText(["One", "Two", "Three"]);
  await expect.poll(async () => (await cached(ada.page)).length).toBe(1);
  expect(await cached(ada.page)).not.toContain(before);
  await expect(offer).toHaveCount(0);
  await rm(site, { recursive: true });
});

/** A server in front of `to`, whose service worker is broken: it answers for every page, and wrongly. */
async function brokenFront(to: string): Promise<{ url: string; front: HttpServer }> {
  const broken = `
    self.addEventListener("install", () => self.skipWaiting());
    self.addEventListener("activate", (event) => event.waitUntil(caches.open("sheetbend-broken").then(() => self.clients.claim())));
    self.addEventListener("fetch", (event) => {
      if (event.request.mode === "navigate") event.respondWith(new Response("<h1>Broken</h1>", { headers: { "content-type": "text/html" } }));
    });`;
  const front = createServer((request, response) => {
    if (request.url === "/sw.js") {
      response.writeHead(200, { "content-type": "text/javascript" }).end(broken);
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
    delete headers["connection"];
    fetch(`${to}${request.url}`, { method: request.method ?? "GET", headers, redirect: "manual" }).then(
      async (answer) => {
        const kept = [...answer.headers].filter(([name]) => name !== "content-encoding" && name !== "content-length" && name !== "transfer-encoding");
        response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
      },
      () => response.destroy(),
    );
  });
  front.on("upgrade", (request, socket) => {
    const { hostname, port } = new URL(to);
    const line = connect(Number(port), hostname, () => {
      const headers = request.rawHeaders.reduce((text, word, n) => text + word + (n % 2 ? "\r\n" : ": "), "");
      line.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      socket.pipe(line).pipe(socket);
    });
    line.on("error", () => socket.destroy());
    socket.on("error", () => line.destroy());
  });
  await new Promise<void>((listening) => front.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`, front };
}

test("a broken worker is got rid of by a server that has none, and what was written stays", async ({ browser, server }) => {
  const { url, front } = await brokenFront(server.direct);
  const board = await createBoard(server.url);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/b/${board.editKey}`);
  const ada = Person.on(page);
  await ada.isSaved();
  await isReady(page);
  await page.evaluate(() => localStorage.setItem("written", "yes"));
  await page.reload();
  await expect(page.getByRole("heading", { name: "Broken" })).toBeVisible();
  const { port } = front.address() as AddressInfo;
  front.closeAllConnections();
  await new Promise((closed) => front.close(closed));

  const mended = await Server.start({ args: ["--no-service-worker"], port });
  // The browser looks for a new worker whenever a page is opened.
  await expect(async () => {
    await page.goto(`${url}/`);
    await expect(page.getByRole("button", { name: "New board", exact: true })).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  expect(await page.evaluate(() => navigator.serviceWorker.getRegistrations().then((all) => all.length))).toBe(0);
  expect(await cached(page)).toEqual([]);
  expect(await page.evaluate(() => localStorage.getItem("written"))).toBe("yes");
  await mended.dispose();
});

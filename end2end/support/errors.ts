import { type Browser, type BrowserContext, type BrowserType, chromium, type ConsoleMessage, firefox, webkit } from "@playwright/test";

/** What Chromium itself logs about requests and WebSockets that do not reach the server. */
export const NETWORK =
  /^(Failed to load resource: net::ERR_|WebSocket connection to '[^']*' failed: ?|An unknown error occurred when fetching the script|Failed to load resource: the server responded with a status of (502|503|504) )/;

/** Chromium logs this when a page or a redirect comes in place of the service worker's script. */
export const NO_SCRIPT = /^The script (has an unsupported MIME type|resource is behind a redirect)/;

/** What Chromium itself logs about a response with one of these statuses. */
export function status(...codes: number[]): RegExp {
  const any = codes.join("|");
  return new RegExp(`^(Failed to load resource: the server responded with a status of (${any}) |A bad HTTP response code \\((${any})\\) was received when fetching the script)`);
}

/** Addresses that may be answered with 404: the page of a board that the server does not know, and the icon of an address that is no page. */
const MAY_BE_MISSING = /\/(b\/[^/]*|favicon\.ico)$/;

/** What is heard of a page that a test crashes. */
export const CRASH = /^A page crashed: /;

let found: string[] = [];
let allowed: RegExp[] = [];
const heard = new WeakSet<Browser | BrowserContext>();

/**
 * Allows errors that the running test makes itself, until it ends. Helpers that make faults allow what their fault logs: a test
 * calls this for faults that it makes by its own means.
 */
export function allowErrors(...patterns: RegExp[]): void {
  allowed.push(...patterns);
}

/** Forgets the errors of the test before. */
export function beginErrors(): void {
  found = [];
  allowed = [];
}

/** The errors since `beginErrors` that the test has not allowed. */
export function unexpectedErrors(): string[] {
  return found.filter((text) => !allowed.some((pattern) => pattern.test(text)));
}

/**
 * Collects the errors of every page and service worker of a browser: uncaught exceptions, unhandled rejections, console errors
 * (violations of the content security policy among them), and crashes.
 */
export function hearBrowser(browser: Browser): void {
  if (heard.has(browser)) return;
  heard.add(browser);
  browser.on("context", hearContext);
  browser.contexts().forEach(hearContext);
}

function hearContext(context: BrowserContext): void {
  if (heard.has(context)) return;
  heard.add(context);
  const log = (message: ConsoleMessage) => {
    // On plain HTTP, from another host than this machine.
    if (message.text().startsWith("The Cross-Origin-Opener-Policy header has been ignored")) return;
    const missing = status(404).test(message.text()) && MAY_BE_MISSING.test(message.location().url);
    if (message.type() === "error" && !missing) found.push(message.text());
  };
  context.on("weberror", (event) => found.push(String(event.error().stack || event.error())));
  context.on("console", log);
  context.on("serviceworker", (worker) => worker.on("console", log));
  context.on("page", (page) => page.on("crash", () => found.push(`A page crashed: ${page.url()}`)));
  const setOffline = context.setOffline.bind(context);
  context.setOffline = async (offline) => {
    if (offline) allowErrors(NETWORK);
    await setOffline(offline);
  };
}

// Browsers that a test launches by itself count as well.
for (const type of [chromium, firefox, webkit] as BrowserType[]) {
  const [launch, launchPersistentContext] = [type.launch.bind(type), type.launchPersistentContext.bind(type)];
  type.launch = async (options) => {
    const browser = await launch(options);
    hearBrowser(browser);
    return browser;
  };
  type.launchPersistentContext = async (folder, options) => {
    const context = await launchPersistentContext(folder, options);
    hearContext(context);
    return context;
  };
}

import type { BrowserContext, Page } from "@playwright/test";

/** What the browser says of a network that the monkey itself has broken. */
const NETWORK = /Failed to load resource|net::ERR_|WebSocket connection to|error occurred when fetching the script|Failed to fetch dynamically imported module/;

/** Collects the errors of every page of a context: uncaught ones, and those written to the console. */
export class Errors {
  readonly found: string[] = [];

  constructor(context: BrowserContext) {
    context.on("page", (page) => this.follow(page));
    for (const page of context.pages()) this.follow(page);
  }

  private follow(page: Page): void {
    page.on("pageerror", (error) => this.add(`uncaught: ${error.stack ?? error.message}`));
    page.on("crash", () => this.add("the page crashed"));
    page.on("console", (message) => {
      if (message.type() === "error") this.add(`console: ${message.text()}`);
    });
  }

  private add(text: string): void {
    if (!NETWORK.test(text)) this.found.push(text);
  }
}

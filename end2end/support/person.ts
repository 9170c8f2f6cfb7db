import { type Browser, type BrowserContext, type BrowserContextOptions, expect, type Locator, type Page } from "@playwright/test";

/** Someone at a board: what people do, in their words. */
export class Person {
  private constructor(readonly page: Page) {}

  /** Opens a browser of one's own at `url`, and waits until the page has come alive and is in sync. */
  static async at(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Person> {
    return await Person.in(await browser.newContext(options), url);
  }

  /** Opens one more tab of a browser at `url`, and waits until it is in sync. */
  static async in(context: BrowserContext, url: string): Promise<Person> {
    const person = new Person(await context.newPage());
    await person.page.goto(url);
    await person.isSaved();
    return person;
  }

  static on(page: Page): Person {
    return new Person(page);
  }

  /** The pill says that everything is saved. After a loss that takes as long as the delays between attempts. */
  async isSaved(): Promise<void> {
    // Not `expect`: what that does each time it looks takes longer on a big board than the board's own work.
    await this.page.locator('.pill[data-state="saved"]').waitFor({ timeout: 30_000 });
  }

  /** The pill says that so many changes are kept here, not saved; and, if told, in which state. */
  async keeps(count: number, state?: string): Promise<void> {
    const pill = this.page.locator(state ? `.pill[data-state="${state}"]` : ".pill");
    await expect(pill.locator(".pill-count")).toHaveText(String(count));
  }

  list(title: string): Locator {
    return this.page.locator(".list").filter({ has: this.page.getByRole("heading", { name: title, exact: true }) });
  }

  card(title: string): Locator {
    return this.page.locator(".card").filter({ has: this.page.getByRole("button", { name: title, exact: true }) });
  }

  cards(list: string): Locator {
    return this.list(list).locator(".card-open");
  }

  async addList(title: string): Promise<void> {
    const field = this.page.getByLabel("New list");
    if (!(await field.isVisible())) await this.page.getByRole("button", { name: "Add list" }).click();
    await field.fill(title);
    await field.press("Enter");
    await expect(this.list(title)).toBeVisible();
    await field.press("Escape");
  }

  /** Adds cards one after the other, by Enter. */
  async addCards(list: string, ...titles: string[]): Promise<void> {
    const field = this.list(list).getByLabel("New card");
    if (!(await field.isVisible())) await this.list(list).getByRole("button", { name: "Add card" }).click();
    for (const title of titles) {
      await field.fill(title);
      await field.press("Enter");
      await expect(field).toHaveValue("");
    }
    await field.press("Escape");
  }

  async open(card: string): Promise<Locator> {
    await this.card(card).getByRole("button", { name: card, exact: true }).click();
    const details = this.page.getByRole("dialog", { name: "Card" });
    await expect(details).toBeVisible();
    return details;
  }
}

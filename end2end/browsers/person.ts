import { expect } from "@playwright/test";
import type { Browser, Target, Window } from "./driver.ts";

/** Someone at a board: what people do, in their words. */
export class Person {
  constructor(readonly window: Window) {}

  /** Opens a window of a browser at `url`, and waits until it is in sync. */
  static async at(browser: Browser, url: string): Promise<Person> {
    const person = new Person(await browser.window(url));
    await person.isSaved();
    return person;
  }

  /** Opens a window at a new board, and puts a list "To do" with some cards there; all of it is saved. */
  static async withCards(browser: Browser, url: string, ...titles: string[]): Promise<Person> {
    const person = await Person.at(browser, url);
    await person.addList("To do");
    await person.addCards("To do", ...titles);
    await person.isSaved();
    return person;
  }

  /** The status button says that everything is saved. */
  async isSaved(): Promise<void> {
    await this.window.waitFor(['.pill[data-state="saved"]'], 30_000);
  }

  /** The status button says that so many changes are pending. */
  async keeps(count: number): Promise<void> {
    await expect.poll(() => this.window.text([".pill-count"]), `${count} pending changes`).toEqual([String(count)]);
  }

  /** The service worker has what the program needs without a network. */
  async hasWorker(): Promise<void> {
    const active = async (): Promise<boolean> =>
      await this.window.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === "activated");
    await expect.poll(active, "the service worker").toBe(true);
  }

  /** The lists' titles are these. */
  async seesLists(...titles: string[]): Promise<void> {
    await expect.poll(() => this.window.text([".list-title"]), "the lists").toEqual(titles);
  }

  /** The titles of the cards in `list` are these. */
  async sees(list: string, ...titles: string[]): Promise<void> {
    await expect.poll(() => this.window.text([...inList(list), ".card-open"]), `the cards in "${list}"`).toEqual(titles);
  }

  /** The card is ticked, or not. */
  async seesTick(card: string, ticked: boolean): Promise<void> {
    const state = ticked ? ":checked" : ":not(:checked)";
    await this.window.waitFor([...inCard(card), `.tick${state}`]);
  }

  async addList(title: string): Promise<void> {
    const field = ['[aria-label="New list"]'];
    if ((await this.window.text(field)).length === 0) await this.window.click([".add-list"]);
    await this.window.click(field);
    await this.window.type(title);
    await this.window.keys("Enter");
    await this.window.waitFor(inList(title));
    await this.window.keys("Escape");
    await this.window.waitFor([".add-list"]);
  }

  /** Adds cards one after the other, by Enter. */
  async addCards(list: string, ...titles: string[]): Promise<void> {
    await this.window.click([...inList(list), ".add-card"]);
    await this.window.click([...inList(list), '[aria-label="New card"]']);
    for (const title of titles) {
      await this.window.type(title);
      await this.window.keys("Enter");
      await this.window.waitFor(inCard(title));
    }
    await this.window.keys("Escape");
    await this.window.waitFor([...inList(list), ".add-card"]);
  }

  /** Renames what is shown at `title` in its place. */
  async rename(title: Target, to: string): Promise<void> {
    await this.window.click(title);
    await this.window.waitFor([".in-place-field:focus"]);
    await this.window.keys("Control+a");
    await this.window.type(to);
    await this.window.keys("Enter");
    await this.window.waitForNo([".in-place-field"]);
  }

  /** Opens the dialog with everything about a card. */
  async openCard(card: string): Promise<void> {
    await this.window.click([...inCard(card), ".card-open"]);
    await this.window.waitFor(inDialog("Card"));
  }

  /** Closes the open dialog by its button. */
  async closeDialog(): Promise<void> {
    await this.window.click(["dialog[open]", '[aria-label="Close"]']);
    await this.window.waitForNo(["dialog[open]"]);
  }

  /** Replaces what a field says. */
  async fill(field: Target, text: string): Promise<void> {
    await this.window.click(field);
    await this.window.keys("Control+a");
    await this.window.type(text);
    await expect.poll(() => this.window.text(field)).toEqual([text]);
  }

  /** Chooses the option of a `<select>` that shows `option`. By script: the browsers' own menus are not in the page. */
  async choose(label: string, option: string): Promise<void> {
    await this.window.waitFor(["dialog[open] label", "span", { text: label }]);
    await this.window.evaluate(
      (label, option) => {
        const labels = [...document.querySelectorAll("dialog[open] label")];
        const select = labels.find((element) => element.querySelector("span")?.textContent === label)!.querySelector("select")!;
        select.value = [...select.options].find(({ text }) => text === option)!.value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
      },
      label,
      option,
    );
  }

  /** Drags from one place to another, and lets go. */
  async drag(from: [number, number], to: [number, number]): Promise<void> {
    const between = (part: number): [number, number] => [
      Math.round(from[0] + (to[0] - from[0]) * part),
      Math.round(from[1] + (to[1] - from[1]) * part),
    ];
    await this.window.pointer({ to: from }, "down", ...[0.25, 0.5, 0.75, 1].map((part) => ({ to: between(part) })));
    await this.window.waitFor([".drop-line"]);
    await this.window.pointer("up");
    await this.window.waitForNo([".drop-line"]);
  }
}

/** The list of this title. */
export const inList = (title: string): Target => ["h2", { text: title }, { closest: ".list" }];

/** The card of this title. */
export const inCard = (title: string): Target => [".card-open", { text: title }, { closest: ".card" }];

/** The open dialog of this title. */
export const inDialog = (title: string): Target => ["dialog[open]", { text: title }];

/** The button that shows this text. */
export const button = (text: string): Target => ["button", { text }];

/** The item of this text in the menu that is open. */
export const menuItem = (text: string): Target => ["details[open]", "button", { text }];

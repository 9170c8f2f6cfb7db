import type { BrowserContext, Page } from "@playwright/test";

/** A card as it is drawn, or as the engine holds it. */
export interface Card {
  id: string;
  title: string;
  done: boolean;
  urgent: boolean;
}

/** A list with its cards, in order. `title` is `null` while it is being renamed. */
export interface List {
  id: string;
  title: string | null;
  cards: Card[];
}

/** What a page shows and holds at one moment. */
export interface Seen {
  /** The page's address, without the origin. */
  path: string;
  /** Whether the list of boards is shown. */
  home: boolean;
  /** The state of the status button; `null` on pages that have none. */
  status: string | null;
  /** The lists as they are drawn. */
  shown: List[];
  /** The lists as the engine holds them; `null` on pages that are no board. */
  held: List[] | null;
  /** The text of the board as the engine holds it, archived cards included. */
  board: string;
  /** Everything in localStorage. */
  stored: string;
  /** The names of the changes in the first stage of storage: `sheetbend/outbox/<document>/<change>`. */
  waiting: string[];
  /** The values of all text fields. */
  fields: string;
  /** The texts that the person has discarded since the page was read last. */
  discarded: string;
  /** Whether anything has the focus. */
  focused: boolean;
}

/**
 * Lets `look` read the board from the page's own export instead of from a download, and the texts that the person discards; lets `closeSockets`
 * close the page's sockets.
 */
export async function prepare(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const state = { exporting: false, text: Promise.resolve(""), discarded: "", sockets: new Set<WebSocket>() };
    Object.assign(window, { monkey: state });
    window.WebSocket = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        state.sockets.add(this);
        this.addEventListener("close", () => state.sockets.delete(this));
      }
    };
    const make = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (object) => {
      if (state.exporting && object instanceof Blob) state.text = object.text();
      return make(object);
    };
    const follow = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function () {
      if (!(state.exporting && this.download)) follow.call(this);
    };
    const discard = (fields: Iterable<Element | null>) => {
      for (const field of fields) state.discarded += `${(field as HTMLInputElement | null)?.value ?? ""}\n`;
    };
    const all = (within: string) => document.querySelectorAll(`${within} :is(input, textarea)`);
    // Escape of somebody who carries a card lets it go, and discards nothing.
    const key = (event: KeyboardEvent) => {
      const carries = document.body.classList.contains("dragging");
      if (event.key === "Escape" && !carries) discard([document.activeElement, ...all("dialog[open]")]);
    };
    const click = (event: MouseEvent) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      const name = button?.ariaLabel ?? button?.textContent ?? "";
      if (!/^\s*(cancel|done|discard|let go)/i.test(name)) return;
      discard(button?.closest(".homeless-draft")?.querySelectorAll("textarea") ?? all("body"));
    };
    addEventListener("keydown", key, true);
    addEventListener("click", click, true);
  });
}

/** Reads the page. Fails if it does not answer within ten seconds. */
export async function look(page: Page): Promise<Seen> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await within(10_000, page.evaluate(read));
    } catch (error) {
      // A page that is being left has nothing to read.
      const leaving = /Execution context was destroyed|Cannot find context|navigation/i.test(String(error));
      if (!leaving || attempt === 20) throw error;
      await page.waitForLoadState();
    }
  }
}

/** Closes the sockets of a page, as a browser does when the device loses its network. */
export async function closeSockets(page: Page): Promise<void> {
  const close = page.evaluate(async () => {
    const { sockets } = (window as unknown as { monkey: { sockets: Set<WebSocket> } }).monkey;
    const closed = (socket: WebSocket) => new Promise((done) => socket.addEventListener("close", done));
    const all = [...sockets].map(closed);
    sockets.forEach((socket) => socket.close());
    await Promise.all(all);
  });
  // A page that is being left, or another's, has none.
  await within(1_000, close).catch(() => {});
}

/** Everything in IndexedDB: changes of a board that was left move there before they are sent. */
export async function kept(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const texts: string[] = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name!));
      for (const store of database.objectStoreNames) {
        texts.push(JSON.stringify(await done(database.transaction(store).objectStore(store).getAll())));
      }
      database.close();
    }
    return texts.join("\n");
  });
}

/** Whether a page of ours runs a script within ten seconds, asked past Playwright. */
export async function answers(page: Page): Promise<boolean> {
  const session = await page.context().newCDPSession(page);
  const asked = session.send("Runtime.evaluate", { expression: "!!window.monkey && location.protocol === 'http:'" });
  const answer = await within(10_000, asked).catch(() => undefined);
  await session.detach().catch(() => {});
  return answer?.result.value === true;
}

/** There was no answer in time. */
export class Unanswered extends Error {}

/** Fails with `Unanswered` if there is no answer within so many milliseconds. */
export async function within<T>(milliseconds: number, what: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(`the page did not answer within ${milliseconds} ms`)), milliseconds);
  });
  return await Promise.race([what, late]).finally(() => clearTimeout(timer));
}

/** Runs in the page. */
async function read(): Promise<Seen> {
  type Held = { list: string; title: string; position: string; archived?: boolean; done?: boolean; urgent?: boolean };
  const shown = [...document.querySelectorAll<HTMLElement>(".list[data-list]")].map((list) => ({
    id: list.dataset["list"]!,
    title: list.querySelector(".list-title input") ? null : (list.querySelector(".list-title")?.textContent ?? ""),
    cards: [...list.querySelectorAll<HTMLElement>(".card[data-card]")].map((card) => ({
      id: card.dataset["card"]!,
      title: card.querySelector(".card-open")?.textContent ?? "",
      done: card.querySelector<HTMLInputElement>(".tick")?.checked ?? false,
      urgent: card.classList.contains("urgent"),
    })),
  }));
  const state = (window as unknown as { monkey: { exporting: boolean; text: Promise<string>; discarded: string } }).monkey;
  const discarded = state.discarded;
  state.discarded = "";
  const exports = [...document.querySelectorAll("button")].find((button) => button.textContent?.trim() === "Export as JSON");
  state.text = Promise.resolve("");
  state.exporting = true;
  exports?.click();
  state.exporting = false;
  const board = await state.text;
  let held = null;
  if (board) {
    const { lists, cards } = JSON.parse(board) as { lists: Record<string, Held>; cards: Record<string, Held> };
    const order = ([a, x]: [string, Held], [b, y]: [string, Held]) =>
      x.position < y.position ? -1 : x.position > y.position ? 1 : a < b ? -1 : 1;
    const open = (all: Record<string, Held>) => Object.entries(all).filter(([, item]) => !item.archived).sort(order);
    held = open(lists).map(([id, { title }]) => ({
      id,
      title,
      cards: open(cards)
        .filter(([, card]) => card.list === id)
        .map(([card, { title, done, urgent }]) => ({ id: card, title, done: !!done, urgent: !!urgent })),
    }));
  }
  const stored: string[] = [];
  const waiting: string[] = [];
  for (let at = 0; at < localStorage.length; at += 1) {
    const key = localStorage.key(at)!;
    stored.push(localStorage.getItem(key) ?? "");
    if (key.startsWith("sheetbend/outbox/")) waiting.push(key);
  }
  const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")].map(({ value }) => value);
  return {
    path: location.pathname,
    home: !!document.querySelector(".home-page"),
    status: document.querySelector<HTMLElement>(".pill")?.dataset["state"] ?? null,
    shown,
    held,
    board,
    stored: stored.join("\n"),
    waiting,
    fields: fields.join("\n"),
    discarded,
    focused: !!document.activeElement && document.activeElement !== document.body,
  };
}

/** How what is drawn differs from what is held; empty if it does not. */
export function difference(shown: List[], held: List[]): string {
  const renaming = new Set(shown.filter(({ title }) => title === null).map(({ id }) => id));
  const plain = (lists: List[]) => JSON.stringify(lists.map((list) => ({ ...list, title: renaming.has(list.id) ? null : list.title })), null, 1);
  const [drawn, kept] = [plain(shown), plain(held)];
  return drawn === kept ? "" : `drawn:\n${drawn}\nheld:\n${kept}`;
}

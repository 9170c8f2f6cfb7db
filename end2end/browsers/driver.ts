/** What the core suite asks of a browser, and what is the same in all of them. */

/**
 * A way to elements of a page, step by step: a CSS selector goes to descendants, `text` keeps those that show exactly this text or have it
 * as their `aria-label`, `closest` goes to an ancestor. Elements that are not visible are left out.
 */
export type Target = (string | { text: string } | { closest: string })[];

/** One step of a pointer: to a point of the viewport, button down, button up. */
export type PointerStep = { to: [x: number, y: number] } | "down" | "up";

/** How a browser is started. */
export interface LaunchOptions {
  /** Whether the system's theme is dark. */
  dark?: boolean;
}

/** A browser with a new profile. */
export interface Browser {
  /** Uncaught errors and console errors of all its windows so far. Refused connections are left out: servers are killed here. */
  readonly problems: string[];
  /** Opens a window at `url`. */
  window(url: string): Promise<Window>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Time limit of what a test waits for, in milliseconds. A reconnect takes as long as the delays between attempts. */
const PATIENCE_MS = 20_000;

/** Looks again and again until `look` returns something. Errors count as nothing: a page may be on its way to another. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, limit = PATIENCE_MS): Promise<T> {
  const end = Date.now() + limit;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`Waited ${limit / 1000} s: ${what}.`, { cause: last });
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A window of a browser. */
export abstract class Window {
  /** Goes to `url`, and waits until it is loaded. */
  abstract open(url: string): Promise<void>;
  abstract reload(): Promise<void>;
  abstract back(): Promise<void>;
  abstract forward(): Promise<void>;
  /** Runs a function in the page. Arguments and result are plain data. */
  abstract evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R>;
  /** Types into whatever has the focus. */
  abstract type(text: string): Promise<void>;
  /** Presses keys one after the other: `"Enter"`, `"x"`, `"Alt+ArrowDown"`. */
  abstract keys(...keys: string[]): Promise<void>;
  abstract pointer(...steps: PointerStep[]): Promise<void>;
  /** What the window shows, as a PNG. */
  abstract screenshot(): Promise<Buffer>;
  /** Closes the window as a person does. */
  abstract close(): Promise<void>;

  /** The colours of points in a picture, as red, green and blue of 255. To be asked of a blank window: pages load no pictures of others. */
  async colours(picture: Buffer, ...points: [x: number, y: number][]): Promise<number[][]> {
    const read = async (picture: string, points: [number, number][]): Promise<number[][]> => {
      const bytes = Uint8Array.from(atob(picture), (byte) => byte.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
      const context = canvas.getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
    };
    return await this.evaluate(read, picture.toString("base64"), points);
  }

  /** The texts of all visible elements at `target`, spaces trimmed. */
  async text(target: Target): Promise<string[]> {
    return (await this.evaluate(find, target)).map(({ text }) => text);
  }

  /** Waits until something is visible at `target`. */
  async waitFor(target: Target, limit?: number): Promise<void> {
    await until(`${JSON.stringify(target)} is not there`, async () => (await this.text(target)).length > 0 || undefined, limit);
  }

  /** Waits until nothing is visible at `target`. */
  async waitForNo(target: Target): Promise<void> {
    await until(`${JSON.stringify(target)} is still there`, async () => (await this.text(target)).length === 0 || undefined);
  }

  /** Waits until the first element at `target` rests and takes the pointer. Returns its centre. */
  async place(target: Target): Promise<[x: number, y: number]> {
    let before = "";
    let hindrance = "it is not there";
    const seen = async (): Promise<[number, number] | undefined> => {
      const [first] = await this.evaluate(find, target);
      if (!first) return undefined;
      const now = first.centre.join();
      const rests = now === before;
      before = now;
      hindrance = first.coveredBy ? `it is covered by ${first.coveredBy}` : "it moves";
      return rests && !first.coveredBy ? first.centre : undefined;
    };
    return await until(`${JSON.stringify(target)} cannot be clicked`, seen).catch((error: Error) => {
      throw new Error(`${error.message} The first one: ${hindrance}.`, { cause: error.cause });
    });
  }

  /** Clicks the first element at `target` with the pointer, as soon as it takes it. */
  async click(target: Target): Promise<void> {
    await this.pointer({ to: await this.place(target) }, "down", "up");
  }
}

/** An element that was found in a page. */
interface Found {
  text: string;
  /** In CSS pixels of the viewport. */
  centre: [x: number, y: number];
  /** What would take a click there in its place. */
  coveredBy?: string;
}

/** Runs in the page, so it refers to nothing outside. */
function find(target: Target): Found[] {
  let elements: Element[] = [document.documentElement];
  for (const step of target) {
    if (typeof step === "string") elements = elements.flatMap((element) => [...element.querySelectorAll(step)]);
    else if ("closest" in step) elements = elements.flatMap((element) => element.closest(step.closest) ?? []);
    else elements = elements.filter((element) => [element.getAttribute("aria-label"), element.textContent?.trim()].includes(step.text));
  }
  const visible = elements.filter((element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible");
  visible[0]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  return visible.map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const centre: [number, number] = [Math.round(x + width / 2), Math.round(y + height / 2)];
    const top = document.elementFromPoint(...centre);
    const takes = top !== null && (element.contains(top) || (top instanceof HTMLLabelElement && top.control === element));
    return {
      text: (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.value : (element.textContent ?? "")).trim(),
      centre,
      ...(takes ? {} : { coveredBy: top?.outerHTML.slice(0, 120) ?? "the window's edge" }),
    };
  });
}

import type { BrowserContext, Locator, Page } from "@playwright/test";
import type { Server } from "../support/server.ts";
import { Errors } from "./errors.ts";
import { closeSockets } from "./look.ts";
import type { Other } from "./other.ts";
import type { Random } from "./random.ts";
import type { Typed } from "./typed.ts";

/** What the monkey works with. */
export interface Stage {
  page: Page;
  context: BrowserContext;
  server: Server;
  other: Other;
  random: Random;
  typed: Typed;
  errors: Errors;
  step: number;
  /** Another tab of the same browser on the same board, if one is open. */
  tab?: Page;
  offline: boolean;
}

/** Does something, and says what it was; `undefined` where it could not be done. */
type Act = (stage: Stage) => Promise<string | undefined>;

const TEXT_FIELDS =
  ".app :is(input:not([type]), input[type=text], textarea):not([readonly]):not(:disabled):not(.network-tools *)";
const BUTTONS = "button:enabled, summary, a[href^='/'], input[type=checkbox]:enabled";

/** The button that replaces the board's links. */
const REPLACES = "Replace both links";

/** The person replaced the links of the page at the address `before`. */
async function useNewKey(page: Page, other: Other, before: string): Promise<void> {
  const refused = page.locator("dialog[open] p[role=status]:not(:empty)").waitFor({ timeout: 10_000 });
  await Promise.race([page.waitForURL((url) => url.href !== before, { timeout: 10_000, waitUntil: "commit" }), refused]).catch(() => {});
  const key = /\/b\/([\w-]{22})$/.exec(new URL(page.url()).pathname)?.[1];
  if (page.url() !== before && before === other.url && key) other.useKey(key);
}

/** An element that a person can see and press. */
interface Target {
  x: number;
  y: number;
  /** What it is called. */
  name: string;
  locator: Locator;
}

/** The elements that a person can see and press: on the page, or in the dialog that is open. */
async function visible(page: Page, selector: string): Promise<Target[]> {
  const all = page.locator(selector);
  const targets = await all.evaluateAll((elements) =>
    elements.map((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const there = width > 0 && height > 0 && document.elementFromPoint(x, y);
      const name = (element.getAttribute("aria-label") ?? element.textContent ?? element.tagName).trim();
      return there && (element.contains(there) || there.contains(element)) ? { x, y, name } : null;
    }),
  );
  return targets.flatMap((target, n) => (target ? [{ ...target, locator: all.nth(n) }] : []));
}

async function press(page: Page, { x, y }: Target): Promise<void> {
  await page.mouse.click(x, y);
}

/** What has the focus. */
interface Focused {
  /** What it is called, if it is a field that takes text and is not of the tools. */
  field: string | null;
  /** Whether the browser's own undo works in it. */
  undoes: boolean;
  /** The text in it. */
  value: string;
  /** The text on it. */
  text: string;
}

async function focused(page: Page): Promise<Focused> {
  return await page.evaluate(() => {
    const at = document.activeElement;
    const field = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement ? at : null;
    const typed = field && !["checkbox", "date", "file", "number", "range"].includes(field.type);
    return {
      field: typed && !field.readOnly && !field.closest(".network-tools, .home-page") ? field.getAttribute("aria-label") || field.className || field.tagName : null,
      undoes: !!field && field.type !== "checkbox",
      value: field?.value ?? "",
      text: at?.textContent ?? "",
    };
  });
}

const click: Act = async ({ page, random, other }) => {
  const target = random.pick(await visible(page, BUTTONS));
  if (!target) return undefined;
  const { name } = target;
  const before = page.url();
  await press(page, target);
  if (name === REPLACES) await useNewKey(page, other, before);
  return `press “${name.slice(0, 40)}”`;
};

const type: Act = async (stage) => {
  const { page, random, typed, step } = stage;
  let at = await focused(page);
  if (at.field === null || random.happens(0.3)) {
    const field = random.pick(await visible(page, TEXT_FIELDS));
    if (!field) return undefined;
    await press(page, field);
    at = await focused(page);
  }
  if (at.field === null) return undefined;
  if (random.happens(0.15)) {
    typed.discard(at.value);
    await page.keyboard.press("Control+a");
  } else {
    await page.keyboard.press("Control+End");
  }
  const words = Array.from({ length: 1 + random.below(3) }, () => typed.word());
  // Key by key, or as the keyboards of phones do.
  const text = ` ${words.join(" ")}`;
  await (random.happens(0.3) ? page.keyboard.type(text) : page.keyboard.insertText(text));
  // A field that went away while one typed has not taken the rest.
  const there = (await focused(page)).value;
  typed.add(words.filter((word) => there.includes(word)), step, at.field);
  const end = random.weighted<string>([
    [45, "Enter"],
    [12, "Tab"],
    [8, "Escape"],
    [35, ""],
  ]);
  if (end) await page.keyboard.press(end);
  return `type “${words.join(" ")}” into ${at.field}${end ? `, ${end}` : ""}`;
};

const pasteLines: Act = async ({ page, random, typed, step }) => {
  const field = random.pick(await visible(page, '.app :is([aria-label="New card"], [aria-label="New list"])'));
  if (!field) return undefined;
  await press(page, field);
  const words = Array.from({ length: 2 + random.below(4) }, () => typed.word());
  await page.evaluate((text) => navigator.clipboard.writeText(text), words.map((word) => `- [ ] ${word}`).join("\n"));
  // Not into the middle of a word.
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+v");
  // A field that went away meanwhile has taken nothing.
  const there = (await focused(page)).value;
  typed.add(words.filter((word) => there.includes(word)), step, "a paste");
  return `paste ${words.length} lines`;
};

const openField: Act = async ({ page, random }) => {
  const button = random.pick(await visible(page, ".add-card, .add-list, .in-place"));
  if (!button) return undefined;
  await press(page, button);
  return "open a field";
};

const openCard: Act = async ({ page, random }) => {
  const card = random.pick(await visible(page, ".card-open"));
  if (!card) return undefined;
  await press(page, card);
  return "open a card";
};

const key: Act = async ({ page, random, other }) => {
  const keys = ["x", "u", "m", "a", "n", "?", "Enter", "Escape", "Tab", "Shift+Tab", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Alt+ArrowDown", "Alt+ArrowRight", "Alt+ArrowLeft", "Control+z"];
  if (random.happens(0.6)) {
    const card = random.pick(await visible(page, ".card-open"));
    await card?.locator.focus({ timeout: 1_000 }).catch(() => {});
  }
  const name = random.pick(keys)!;
  const at = await focused(page);
  // In a field the browser's own undo takes back what was typed, in another field too.
  if (at.undoes && name === "Control+z") return undefined;
  // A letter goes behind the words, not into one.
  if (at.undoes && /^[a-z?]$/.test(name)) await page.keyboard.press("Control+End");
  const replaces = name === "Enter" && at.text === REPLACES;
  const before = page.url();
  await page.keyboard.press(name);
  if (replaces) await useNewKey(page, other, before);
  return `key ${name}`;
};

const backdrop: Act = async ({ page }) => {
  if ((await page.locator("dialog[open]").count()) === 0) return undefined;
  await page.mouse.click(3, 3);
  return "press the backdrop";
};

const drag: Act = async ({ page, random }) => {
  const items = await visible(page, random.happens(0.8) ? ".card" : ".list-head");
  const [from, to] = [random.pick(items), random.pick(items)];
  if (!from || !to) return undefined;
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y + random.below(40) - 20, { steps: 5 });
  const escapes = random.happens(0.15);
  if (escapes) await page.keyboard.press("Escape");
  await page.mouse.up();
  return `drag${escapes ? ", and Escape" : ""}`;
};

const date: Act = async ({ page, random }) => {
  const field = random.pick(await visible(page, "input[type=date]:not([readonly])"));
  if (!field) return undefined;
  await press(page, field);
  await page.keyboard.type(random.pick(["12242026", "0101", "3"])!);
  if (random.happens(0.5)) await page.keyboard.press("Enter");
  return "type a date";
};

const choose: Act = async ({ page, random }) => {
  const select = random.pick(await visible(page, "select:enabled"));
  const options = await select?.locator.locator("option").count();
  if (!select || !options) return undefined;
  await select.locator.selectOption({ index: random.below(options) }, { timeout: 1_000 }).catch(() => {});
  return "choose an option";
};

const history: Act = async ({ page, random }) => {
  const back = random.happens(0.6);
  await (back ? page.goBack({ timeout: 5_000, waitUntil: "commit" }) : page.goForward({ timeout: 5_000, waitUntil: "commit" })).catch(() => {});
  return back ? "Back" : "Forward";
};

const reload: Act = async ({ page }) => {
  await page.reload({ waitUntil: "commit" }).catch(() => {});
  return "reload";
};

const home: Act = async ({ page }) => {
  const [link] = await visible(page, "a.home");
  if (!link) return undefined;
  await press(page, link);
  return "go home";
};

const network: Act = async (stage) => {
  stage.offline = !stage.offline;
  // Chromium waits busily to write to a socket that it emulates to be offline.
  if (stage.offline) await Promise.all(stage.context.pages().map(closeSockets));
  await stage.context.setOffline(stage.offline);
  return stage.offline ? "go offline" : "go online";
};

const restart: Act = async ({ server, other }) => {
  other.take();
  await server.restart();
  await other.connect();
  return "kill the server, and start it again";
};

const otherTab: Act = async (stage) => {
  const { context, other, random } = stage;
  if (stage.tab) {
    const tab = stage.tab;
    if (random.happens(0.5)) {
      stage.tab = undefined;
      await tab.close();
      return "close the other tab";
    }
    const tick = random.pick(await visible(tab, ".tick:enabled"));
    if (tick) await press(tab, tick);
    return "tick in the other tab";
  }
  stage.tab = await context.newPage();
  await stage.tab.goto(other.url, { waitUntil: "commit" }).catch(() => {});
  await stage.page.bringToFront();
  return "open another tab";
};

const replaceKey: Act = async ({ other }) => {
  await other.replaceKey();
  await other.connect();
  return "another person replaces the links";
};

const importFile: Act = async ({ page, step }) => {
  const input = page.locator(".home-page input[type=file]");
  if ((await input.count()) === 0) return undefined;
  const buffer = Buffer.from(`# Import ${step}\n\n- [ ] one\n- [x] two\n`);
  await input.setInputFiles({ name: "plan.md", mimeType: "text/markdown", buffer }, { timeout: 2_000 }).catch(() => {});
  return "import a file";
};

const resize: Act = async ({ page, random }) => {
  const width = random.pick([390, 800, 1280])!;
  await page.setViewportSize({ width, height: 800 });
  return `resize to ${width}`;
};

/** Everything there is, each as often as its weight says. */
export const acts: readonly (readonly [number, Act])[] = [
  [24, click],
  [22, type],
  [10, openField],
  [8, openCard],
  [14, key],
  [4, pasteLines],
  [4, backdrop],
  [5, drag],
  [2, date],
  [3, choose],
  [4, history],
  [1.5, reload],
  [1, home],
  [1, network],
  [0.3, restart],
  [1.5, otherTab],
  [0.15, replaceKey],
  [0.5, importFile],
  [1, resize],
];

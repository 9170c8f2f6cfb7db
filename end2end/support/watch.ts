import { type Page } from "@playwright/test";

/** What the page has shown, as it was watched from the inside. */
export interface Watched {
  /** The states of the pill, each with the time it came. */
  states: { state: string; at: number }[];
  /** What the live regions said, in order. */
  said: { urgent: boolean; text: string }[];
  /** How far things have moved by themselves (Cumulative Layout Shift), and what. */
  shift: number;
  moved: string[];
}

/** Watches the pill, the live regions and the layout from here on. */
export async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched = { states: [] as { state: string; at: number }[], said: [] as { urgent: boolean; text: string }[], shift: 0, moved: [] as string[] };
    Object.assign(window, { watched });
    const pill = document.querySelector<HTMLElement>(".pill")!;
    const look = () => watched.states.push({ state: pill.dataset["state"]!, at: performance.now() });
    look();
    new MutationObserver(look).observe(pill, { attributes: true, attributeFilter: ["data-state"] });
    for (const region of document.querySelectorAll("[aria-live]")) {
      const urgent = region.getAttribute("aria-live") === "assertive";
      new MutationObserver((records) => {
        for (const node of records.flatMap((record) => [...record.addedNodes])) {
          if (node.textContent) watched.said.push({ urgent, text: node.textContent });
        }
      }).observe(region, { childList: true, subtree: true });
    }
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        if (entry.hadRecentInput) continue;
        watched.shift += entry.value;
        for (const { node } of entry.sources) watched.moved.push(node instanceof Element ? node.outerHTML.slice(0, 120) : String(node?.textContent));
      }
    }).observe({ type: "layout-shift" });
  });
}

/** What was seen since. */
export async function watched(page: Page): Promise<Watched> {
  return await page.evaluate(() => (window as unknown as { watched: Watched }).watched);
}

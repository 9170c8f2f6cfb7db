import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";

const axe: { source: string } = createRequire(import.meta.url)("axe-core");

/** Looks for what WCAG 2.2 AA and good practice forbid, in light and in dark. */
export async function isAccessible(page: Page, state: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // Colours that are on their way to others are neither.
    await page.waitForFunction(() => document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect?.getTiming().iterations === Infinity));
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      type Found = { id: string; help: string; nodes: { html: string; failureSummary: string }[] };
      const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: Found[] }> } };
      const { violations } = await axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      });
      return violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html.slice(0, 200)}\n  ${failureSummary}`).join("\n")}`);
    });
    expect(violations, `${state}, ${colorScheme}`).toEqual([]);
  }
}

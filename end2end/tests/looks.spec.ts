// What the connection's components look like, where that is stable: compared with pictures that are kept.
import { expect, test } from "../support/fixtures.ts";
import { states } from "../support/states.ts";

const KEPT = {
  saved: [".pill-words"],
  offline: [".pill-words", ".toast", ".mark"],
  unreachable: [".pill-words", ".toast"],
  refused: [".strip", ".mark[data-mark=refused]"],
  unkept: ['[data-strip="unkept"]'],
} as const;

for (const [name, selectors] of Object.entries(KEPT)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`${name}, ${colorScheme}`, async ({ board, browser, server }) => {
      const options = { viewport: { width: 1280, height: 520 }, colorScheme };
      const { who, done } = await states[name]!({ browser, server, board, options });
      await who.page.mouse.move(0, 0);
      await who.page.evaluate(() => {
        (document.activeElement as HTMLElement | null)?.blur();
        // Letters that are the same everywhere.
        document.documentElement.style.setProperty("--font", '"Liberation Sans"');
      });
      for (const [n, selector] of selectors.entries()) {
        // What is on top of another may shine through its rounded corners.
        await expect(who.page.locator(selector).first()).toHaveScreenshot(`${name}-${n}-${colorScheme}.png`, { maxDiffPixelRatio: 0.03 });
      }
      await done();
    });
  }
}

import path from "node:path";
import { test } from "../support/fixtures.ts";
import { states } from "../support/states.ts";

const folder = path.resolve(import.meta.dirname, "../../docs/states");

for (const [name, make] of Object.entries(states)) {
  for (const [size, viewport] of [
    ["1280", { width: 1280, height: 520 }],
    ["390", { width: 390, height: 640 }],
  ] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`${name}, ${size}, ${colorScheme}`, async ({ board, browser, server }) => {
        const { who, done } = await make({ browser, server, board, options: { viewport, colorScheme } });
        await who.page.mouse.move(0, 0);
        await who.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
        await who.page.screenshot({ path: path.join(folder, `${name}-${size}-${colorScheme}.png`), animations: "disabled" });
        await done();
      });
    }
  }
}

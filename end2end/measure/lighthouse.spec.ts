import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "../support/fixtures.ts";
import { Wire } from "../support/wire.ts";
import { randomUUID } from "node:crypto";

const CARDS = 200;

for (const preset of ["desktop", "mobile"]) {
  test(`Lighthouse, ${preset}, on a board of ${CARDS} cards`, async ({ board, server }, testInfo) => {
    const program = path.join(process.env["SHEETBEND_TOOLS"] ?? "", "node_modules/lighthouse/cli/index.js");
    expect(existsSync(program), "`scripts/tools measure` installs it").toBe(true);
    const wire = new Wire(server.url, board.editKey);
    await wire.connect();
    const lists = ["To do", "Doing", "Waiting", "Done"].map((title, n) => ({ list: randomUUID(), title, position: `a${n}` }));
    for (const list of lists) await wire.offer({ kind: "add_list", archived: false, ...list });
    for (let n = 0; n < CARDS; n += 1) {
      const position = `a${String.fromCharCode(65 + (n >> 5))}V`;
      const title = `Card ${n + 1}: mend the ropes of boat ${n % 7}`;
      const { refused } = await wire.offer({ kind: "add_card", card: randomUUID(), list: lists[n % 4]!.list, position, title });
      expect(refused).toBeNull();
    }
    const output = testInfo.outputPath("lighthouse.json");
    const flags = "--headless=new --no-sandbox --disable-gpu --disable-background-networking";
    const args = [program, board.editUrl, "--output=json", `--output-path=${output}`, `--chrome-flags=${flags}`, "--quiet"];
    const categories = "--only-categories=performance,accessibility,best-practices";
    if (preset === "desktop") args.push("--preset=desktop");
    const run = () => promisify(execFile)(process.execPath, [...args, categories], { env: { ...process.env, CHROME_PATH: process.env["CHROMIUM"] } });
    // Its trace misses the start of the page now and then (NO_NAVSTART), and it says to run it again.
    await run().catch(run).catch(run);
    type Audit = { score: number | null; title: string; displayValue?: string };
    const report = JSON.parse(await readFile(output, "utf8")) as {
      categories: Record<string, { score: number; auditRefs: { id: string; weight: number }[] }>;
      audits: Record<string, Audit>;
    };
    const scores = Object.entries(report.categories).map(([name, { score }]) => `${name} ${Math.round(score * 100)}`);
    console.log(`Lighthouse, ${preset}: ${scores.join(", ")}`);
    const timings = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift", "speed-index"];
    console.log(timings.map((id) => `${report.audits[id]!.title} ${report.audits[id]!.displayValue}`).join(", "));
    const weighty = Object.values(report.categories).flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id));
    for (const id of weighty) {
      const { score, title, displayValue } = report.audits[id]!;
      if (score !== null && score < 0.9) console.log(`  ${title}: ${score} ${displayValue ?? ""}`);
    }
  });
}

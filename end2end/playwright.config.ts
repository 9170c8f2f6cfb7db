import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  workers: 2,
  // Only of use to a test under which the browser died: ./support/summary.ts.
  retries: 1,
  forbidOnly: !!process.env["CI"],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // One set of pictures: of Debian's Chromium, which `.ci/run` installs.
  snapshotPathTemplate: "looks/{arg}{ext}",
  reporter: [["list"], ["./support/summary.ts"]],
  use: {
    browserName: "chromium",
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      // scripts/browser-tests sets it; without it Playwright's own is used.
      executablePath: process.env["CHROMIUM"] || undefined,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
      ],
    },
  },
});

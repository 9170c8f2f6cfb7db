import { defineConfig } from "@playwright/test";

// Playwright is the runner alone: the tests drive browsers of their own (browsers/driver.ts).
export default defineConfig({
  testDir: "browsers",
  workers: 2,
  retries: 0,
  forbidOnly: !!process.env["CI"],
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["./support/summary.ts"]],
  projects: [{ name: "firefox" }, { name: "webkit" }],
});

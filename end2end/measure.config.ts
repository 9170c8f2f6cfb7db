import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

// Nothing may look at the page while it is measured: Playwright's own trace lays out every card at each step.
const use = { ...tests.use, trace: "off", screenshot: "off" } as const;

/** Measurements, which print and never fail for being slow: `make measure`. */
export default defineConfig({ ...tests, use, testDir: "measure", retries: 0, workers: 1, fullyParallel: false, timeout: 300_000 });

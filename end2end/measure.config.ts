import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

/** Measurements, which print and never fail for being slow: `make measure`. */
export default defineConfig({ ...tests, testDir: "measure", workers: 1, fullyParallel: false, timeout: 300_000 });

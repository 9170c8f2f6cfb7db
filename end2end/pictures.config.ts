import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

/** Pictures of every state for docs/states: `make pictures`. */
export default defineConfig({ ...tests, testDir: "pictures", timeout: 120_000 });

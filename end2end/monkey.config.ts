import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

/** A seeded person who does everything there is: `make monkey`. */
export default defineConfig({ ...tests, use: { ...tests.use, trace: "off" }, testDir: "monkey", retries: 0 });

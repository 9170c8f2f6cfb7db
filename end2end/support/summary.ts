import type { FullConfig, FullResult, Reporter, Suite } from "@playwright/test/reporter";

/** Ends the run with one plain line, `N passed, N failed`, whatever the other reporters print. */
export default class Summary implements Reporter {
  private suite?: Suite;
  private result?: FullResult;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.suite = suite;
  }

  onEnd(result: FullResult): void {
    this.result = result;
  }

  /** Runs when every reporter has had its `onEnd`. */
  async onExit(): Promise<void> {
    if (process.argv.includes("--list")) return;
    let passed = 0;
    let failed = 0;
    let skipped = 0;
    for (const test of this.suite?.allTests() ?? []) {
      if (test.outcome() === "skipped") skipped += 1;
      else if (test.outcome() === "expected") passed += 1;
      else failed += 1;
    }
    // A run can fail with no failed test: an error outside of them, no tests at all, an interrupt.
    if (failed === 0 && this.result?.status !== "passed") {
      console.log(`The run ended as "${this.result?.status ?? "never begun"}": counted as one failure.`);
      failed = 1;
    }
    console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }
}

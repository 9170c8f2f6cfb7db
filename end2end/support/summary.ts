import type { FullConfig, FullResult, Reporter, Suite, TestCase } from "@playwright/test/reporter";

/** The annotation of a test under which the browser itself has died. */
export const BROWSER_DIED = "the browser died";

/**
 * Ends the run with one plain line, `N passed, N failed`, whatever the other reporters print.
 *
 * A test that fails is run once more, and then counts as failed all the same, unless the browser had died under it: that is the
 * browser's fault, and it is said how often.
 */
export default class Summary implements Reporter {
  private suite?: Suite;
  private result?: FullResult;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.suite = suite;
  }

  async onEnd(result: FullResult): Promise<{ status?: FullResult["status"] }> {
    const flaky = this.tests().some((test) => test.outcome() === "flaky" && !outlivedItsBrowser(test));
    this.result = flaky && result.status === "passed" ? { ...result, status: "failed" } : result;
    return { status: this.result.status };
  }

  /** Runs when every reporter has had its `onEnd`. */
  async onExit(): Promise<void> {
    if (process.argv.includes("--list")) return;
    let passed = 0;
    let failed = 0;
    let skipped = 0;
    for (const test of this.tests()) {
      if (test.outcome() === "skipped") skipped += 1;
      else if (test.outcome() === "expected" || outlivedItsBrowser(test)) passed += 1;
      else failed += 1;
    }
    // A run can fail with no failed test: an error outside of them, no tests at all, an interrupt.
    if (failed === 0 && this.result?.status !== "passed") {
      console.log(`The run ended as "${this.result?.status ?? "never begun"}": counted as one failure.`);
      failed = 1;
    }
    const died = this.tests().filter(outlivedItsBrowser).length;
    if (died > 0) console.log(`The browser died under ${died} of them, which then passed in another.`);
    console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }

  private tests(): TestCase[] {
    return this.suite?.allTests() ?? [];
  }
}

/** Whether it passed in the end, and failed before under a browser that died. */
function outlivedItsBrowser(test: TestCase): boolean {
  const died = ({ annotations }: TestCase["results"][number]) => annotations.some(({ type }) => type === BROWSER_DIED);
  return test.outcome() === "flaky" && test.results.every((result) => result.status === test.expectedStatus || died(result));
}

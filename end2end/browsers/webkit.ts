/** WebKitGTK, by W3C WebDriver (https://www.w3.org/TR/webdriver2/) in a virtual display. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { running } from "../support/server.ts";
import { type Browser, type LaunchOptions, type PointerStep, until, Window } from "./driver.ts";

/** Errors that WebKit writes without a fault of the page; docs/testing.md says why each is ignored. */
const EXPECTED = [
  /CONSOLE NETWORK ERROR .*(Connection refused|closed due to suspension|closed before the connection is establish)/,
  /CONSOLE SECURITY ERROR Unrecognized Content-Security-Policy directive 'manifest-src'/,
];

export class WebKit implements Browser {
  readonly problems: string[] = [];
  private readonly closing: (() => Promise<void>)[] = [];
  private driver = "";
  private session = "";
  /** One command at a time: the driver answers for the window that was switched to last. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor() {}

  static async launch(options: LaunchOptions): Promise<WebKit> {
    const webkit = new WebKit();
    try {
      await webkit.start(options);
    } catch (error) {
      await webkit.close();
      throw error;
    }
    return webkit;
  }

  private async start({ dark = false }: LaunchOptions): Promise<void> {
    const profile = await mkdtemp(path.join(tmpdir(), "sheetbend-webkit-"));
    this.closing.unshift(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
    const display = await this.startDisplay();
    const port = await freePort();
    const env: NodeJS.ProcessEnv = { ...process.env, DISPLAY: display, SHEETBEND_PROFILE: profile, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" };
    if (dark) env["SHEETBEND_DARK"] = "1";
    const driver = this.spawn("WebKitWebDriver", [`--port=${port}`], env);
    // The browser writes to the driver's standard error.
    driver.stderr!.setEncoding("utf8").on("data", lines((line) => this.note(line)));
    this.driver = `http://127.0.0.1:${port}`;
    await until("WebKitWebDriver does not answer", async () => {
      const { value } = (await (await fetch(`${this.driver}/status`)).json()) as { value: { ready: boolean } };
      return value.ready || undefined;
    });
    const binary = path.join(import.meta.dirname, "webkit-browser.py");
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args: [] }, unhandledPromptBehavior: "accept" } };
    const { sessionId } = await this.command<{ sessionId: string }>("POST", "", { capabilities });
    this.session = `/${sessionId}`;
    this.closing.unshift(async () => await this.command("DELETE", ""));
  }

  /** Starts a virtual display. Returns its name. */
  private async startDisplay(): Promise<string> {
    const display = this.spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"], process.env);
    const [number] = (await once(display.stdout!, "data", { signal: AbortSignal.timeout(15_000) })) as [Buffer];
    return `:${number.toString().trim()}`;
  }

  /** Starts a program in a process group of its own, which ends when the browser is closed. */
  private spawn(program: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(child);
    // A pipe that nobody reads would stop it.
    for (const output of [child.stdout!, child.stderr!]) output.resume();
    this.closing.unshift(async () => {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // Nobody of the group is left.
      }
      await ended;
      running.delete(child);
    });
    return child;
  }

  private note(line: string): void {
    if (/CONSOLE.* ERROR/.test(line) && !EXPECTED.some((expected) => expected.test(line))) this.problems.push(line);
  }

  /** Sends one command of the session; the session's own is `""`. */
  async command<R>(method: "GET" | "POST" | "DELETE", what: string, body?: unknown): Promise<R> {
    const response = await fetch(`${this.driver}/session${this.session}${what}`, {
      method,
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
      signal: AbortSignal.timeout(30_000),
    });
    const { value } = (await response.json()) as { value: R & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`WebKit: ${method} ${what}: ${value.error}: ${value.message}`);
    return value;
  }

  /** Runs commands in a window, and no others meanwhile. */
  async in<R>(handle: string, run: () => Promise<R>): Promise<R> {
    const mine = this.last.then(async () => {
      await this.command("POST", "/window", { handle });
      return await run();
    });
    this.last = mine.catch(() => {});
    return await mine;
  }

  async window(url: string): Promise<Window> {
    const opened = this.last.then(async () => await this.command<{ handle: string }>("POST", "/window/new", { type: "window" }));
    this.last = opened.catch(() => {});
    const window = new WebKitWindow(this, (await opened).handle);
    await window.open(url);
    return window;
  }

  async close(): Promise<void> {
    for (const close of this.closing.splice(0)) await close();
  }
}

class WebKitWindow extends Window {
  constructor(
    private readonly webkit: WebKit,
    private readonly handle: string,
  ) {
    super();
  }

  private async do<R>(method: "GET" | "POST" | "DELETE", what: string, body?: unknown): Promise<R> {
    return await this.webkit.in(this.handle, async () => await this.webkit.command<R>(method, what, body));
  }

  async open(url: string): Promise<void> {
    await this.do("POST", "/url", { url });
  }

  async reload(): Promise<void> {
    await this.do("POST", "/refresh");
  }

  async back(): Promise<void> {
    await this.do("POST", "/back");
  }

  async forward(): Promise<void> {
    await this.do("POST", "/forward");
  }

  async evaluate<A extends unknown[], R>(run: (...args: A) => R | Promise<R>, ...args: A): Promise<R> {
    const script = `
      const done = arguments[1];
      Promise.resolve().then(() => (${run})(...arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const answer = await this.do<{ value: R; error?: string }>("POST", "/execute/async", { script, args: [args] });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  async type(text: string): Promise<void> {
    await this.press([...text].flatMap((key) => [down(key), up(key)]));
  }

  async keys(...keys: string[]): Promise<void> {
    for (const chord of keys) {
      const held = chord.split("+").map((key) => KEYS[key] ?? key);
      await this.press([...held.map(down), ...held.toReversed().map(up)]);
    }
  }

  /** Gives the window the focus, as a window manager does. */
  private async focus(): Promise<void> {
    const focused = async (): Promise<true | undefined> =>
      await this.evaluate(() => {
        if (document.hasFocus()) return true;
        (window as unknown as { webkit: { messageHandlers: { focus: { postMessage(message: string): void } } } }).webkit.messageHandlers.focus.postMessage("");
        return undefined;
      });
    await until("the window does not get the focus", focused);
  }

  private async press(actions: object[]): Promise<void> {
    await this.focus();
    await this.do("POST", "/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  async pointer(...steps: PointerStep[]): Promise<void> {
    await this.focus();
    const actions = steps.map((step) => {
      if (step === "down") return { type: "pointerDown", button: 0 };
      if (step === "up") return { type: "pointerUp", button: 0 };
      const [x, y] = step.to;
      return { type: "pointerMove", origin: "viewport", x, y, duration: 0 };
    });
    await this.do("POST", "/actions", { actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }] });
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from(await this.do<string>("GET", "/screenshot"), "base64");
  }

  async close(): Promise<void> {
    await this.do("DELETE", "/window").catch((error: Error) => {
      // A page may have closed its window itself.
      if (!error.message.includes("no such window")) throw error;
    });
  }
}

const down = (value: string): object => ({ type: "keyDown", value });
const up = (value: string): object => ({ type: "keyUp", value });

/** Keys without a character of their own (WebDriver, §17.4.2). */
const KEYS: Record<string, string> = {
  Shift: "\uE008",
  Control: "\uE009",
  Alt: "\uE00A",
  Enter: "\uE007",
  Escape: "\uE00C",
  Tab: "\uE004",
  Backspace: "\uE003",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Cuts a stream of text into its lines. */
function lines(take: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const all = (rest + text).split("\n");
    rest = all.pop()!;
    all.forEach(take);
  };
}

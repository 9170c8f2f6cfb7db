import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { allowErrors, NETWORK, NO_SCRIPT } from "./errors.ts";
import { binary, running } from "./server.ts";

/** Which way a fault applies; both, unless told. */
export type Direction = "to_server" | "to_client" | "both";

/** What can happen to a line: `sheetbend chaos --help` says what each does. */
export type Fault =
  | { fault: "clear" | "offline" | "slow_3g" | "fast_3g" | "refuse" | "silent_handshake" | "portal" | "cut" }
  | { fault: "half_open"; direction?: Direction }
  | { fault: "delay"; ms: number; jitter_ms?: number; direction?: Direction }
  | { fault: "bandwidth"; kbit_per_s: number; direction?: Direction }
  | { fault: "lose"; share: number; direction?: Direction }
  | { fault: "cut_after"; bytes: number; direction?: Direction };

/** A timeline of faults. */
export interface Script {
  seed?: number;
  repeat_ms?: number;
  steps: { at_ms: number; within_ms?: number; do: Fault }[];
}

export type Preset = "clear" | "fast_3g" | "slow_3g" | "offline" | "lossy" | "flapping" | "tunnel";

/** A bad network before a server: pages are opened at `url`, which stays the same whatever happens. */
export class Chaos {
  /** What the proxy wrote to standard error: what was done to each connection. */
  log = "";

  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private address = "";
  /** Orders are answered in order: each waits for the one before it. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(to: string) {
    this.child = spawn(binary(), ["chaos", "--control", "--to", new URL(to).host], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(this.child);
    this.child.once("exit", () => running.delete(this.child));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    this.child.stdin!.on("error", () => {}); // it has ended: the answer that does not come says so
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts a proxy, with nothing wrong yet, to the server whose address is `to`. */
  static async start(to: string): Promise<Chaos> {
    allowErrors(NETWORK, NO_SCRIPT);
    const chaos = new Chaos(to);
    const line = await chaos.line();
    const address = /^Chaos listens on (127\.0\.0\.1:\d+)$/.exec(line)?.[1];
    if (!address) {
      await chaos.dispose();
      throw new Error(`The proxy did not start. It wrote:\n${line}\n${chaos.log}`);
    }
    chaos.address = address;
    return chaos;
  }

  /** The proxy's address, with no slash at the end. */
  get url(): string {
    return `http://${this.address}`;
  }

  /** A fault happens, on top of what holds; when the promise resolves it has. A preset or a script starts to play. */
  async set(what: Fault | Script | Preset): Promise<void> {
    const answer = this.last.then(() => this.ask(typeof what === "string" ? what : JSON.stringify(what)));
    this.last = answer.catch(() => {});
    await answer;
  }

  /** Ends the script that is playing, and lifts all that holds. */
  async clear(): Promise<void> {
    await this.set("clear");
  }

  /** Resets every open connection. */
  async cut(): Promise<void> {
    await this.set({ fault: "cut" });
  }

  async dispose(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  private async ask(order: string): Promise<void> {
    this.child.stdin!.write(`${order}\n`);
    const answer = await this.line();
    if (answer !== "ok") throw new Error(`The proxy answered "${answer}" to ${order}`);
  }

  /** The next line of standard output; empty when there is none. */
  private async line(): Promise<string> {
    const next = await this.lines.next();
    return next.done ? "" : next.value;
  }
}

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Blocking } from "./blocking.ts";
import { allowErrors, NETWORK } from "./errors.ts";

const project = path.resolve(import.meta.dirname, "../..");

/** The built program: `SHEETBEND_BIN`, else where a release build leaves it. */
export function binary(): string {
  const target = process.env["CARGO_TARGET_DIR"] ?? "target";
  const file = path.resolve(project, process.env["SHEETBEND_BIN"] ?? path.join(target, "release/sheetbend"));
  if (!existsSync(file)) throw new Error(`${file} is not there: \`make build\` makes it.`);
  return file;
}

/** The address of a PostgreSQL that servers keep their boards in, each in a database of its own: `scripts/with-postgres` sets it. */
export const postgres = process.env["SHEETBEND_TEST_POSTGRES"];

/** Whether every server is behind a proxy that refuses WebSockets: `SHEETBEND_TEST_TRANSPORT=http`. */
export const overHttp = process.env["SHEETBEND_TEST_TRANSPORT"] === "http";

async function makeDatabase(address: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await administer(`CREATE DATABASE ${name}`);
  return `${address}/${name}`;
}

async function administer(statement: string): Promise<void> {
  await promisify(execFile)("psql", ["-q", `${postgres}/postgres`, "-c", statement]);
}

function nameOf(database: string): string {
  return database.slice(database.lastIndexOf("/") + 1);
}

/** What runs now: it must not outlive a worker that ends in the middle of a test. */
export const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** What a test can change about the server it starts. */
export interface ServerOptions {
  /** Further arguments of `sheetbend serve`. */
  args?: string[];
  /** The port it listens on; a free one, unless told. */
  port?: number;
  /** Whether people come to it by way of a proxy that refuses WebSockets. */
  blocked?: boolean;
  /** Whether it encrypts, with a certificate that nobody has signed. */
  encrypts?: boolean;
  /** Further environment variables. */
  env?: Record<string, string>;
}

/** A server of the test's own, on a free port and with a data folder of its own. */
export class Server {
  /** What the server wrote to standard output and error, over all its lives. */
  log = "";

  /** The proxy in front, if there is one. */
  proxy?: Blocking;

  private child?: ChildProcess;
  private disk = false;
  private database?: string;
  private port = 0;

  private constructor(
    /** The folder that holds the server's data; `kill`, `stop` and `restart` leave it as it is. */
    readonly data: string,
    /** What it is started with, the next time. */
    readonly options: ServerOptions,
  ) {}

  static async start(options: ServerOptions = {}): Promise<Server> {
    // A copy: a test that changes it changes nobody else's.
    const server = new Server(await mkdtemp(path.join(tmpdir(), "sheetbend-")), { ...options });
    if (postgres) server.database = await makeDatabase(postgres);
    server.port = options.port ?? 0;
    try {
      await server.launch();
      if (options.blocked ?? (overHttp && !options.port)) server.proxy = await Blocking.start(() => server.port);
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** The server's address, with no slash at the end; the same after a restart. */
  get url(): string {
    return this.proxy?.url ?? this.direct;
  }

  /** The server's own address, for programs that need no proxy to be in the way. */
  get direct(): string {
    return `${this.options.encrypts ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  /** Ends the process as a power cut would: SIGKILL, no goodbye. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Stops the process in its tracks, SIGSTOP: it takes what it is sent, and answers nothing. */
  stall(): void {
    allowErrors(NETWORK);
    this.child?.kill("SIGSTOP");
  }

  /** Asks the process to end, SIGTERM, and waits until it has. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** Puts the data on a disk of its own, of so many MiB, the server being stopped meanwhile. Returns whether this machine lets us. */
  async moveToSmallDisk(mebibytes: number): Promise<boolean> {
    if (this.database) return false;
    await this.stop();
    const mounted = await promisify(execFile)("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", this.data]).then(
      () => true,
      () => false,
    );
    this.disk = mounted;
    await this.launch();
    return mounted;
  }

  /** Leaves no room on the disk that the data is on. */
  async fillDisk(): Promise<void> {
    // What the log beside the database has room for by itself is given back first.
    await this.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    const filler = await open(path.join(this.data, "filler"), "a");
    try {
      for (;;) await filler.write(Buffer.alloc(4096));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      await filler.close();
    }
  }

  /** Makes room again. */
  async makeRoom(): Promise<void> {
    await rm(path.join(this.data, "filler"));
  }

  /** Starts again with the same port and data; a server that still runs is killed first. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  /** Copies the data, the server being stopped meanwhile. Returns where the copy is. */
  async copy(): Promise<string> {
    await this.stop();
    const copy = `${this.database ?? this.data}_copy`;
    if (this.database) await administer(`CREATE DATABASE ${nameOf(copy)} TEMPLATE ${nameOf(this.database)}`);
    else await cp(this.data, copy, { recursive: true });
    await this.launch();
    return copy;
  }

  /** Runs a statement on the database, which its owner may do behind the server's back. */
  async sql(statement: string): Promise<void> {
    if (this.database) await promisify(execFile)("psql", ["-q", this.database, "-c", statement]);
    else await promisify(execFile)("sqlite3", [path.join(this.data, "sheetbend.db"), statement]);
  }

  /** Kills the process, puts a copy of its data back, and starts it again. */
  async putBack(copy: string): Promise<void> {
    await this.kill();
    if (this.database) {
      await administer(`DROP DATABASE ${nameOf(this.database)} WITH (FORCE)`);
      await administer(`ALTER DATABASE ${nameOf(copy)} RENAME TO ${nameOf(this.database)}`);
    } else {
      await rm(this.data, { recursive: true });
      await rename(copy, this.data);
    }
    await this.launch();
  }

  /** Kills the process and removes its data. */
  async dispose(): Promise<void> {
    await this.kill();
    await this.proxy?.dispose();
    if (this.disk) await promisify(execFile)("umount", [this.data]);
    await rm(this.data, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Makes a certificate, once. Returns the arguments that name it. */
  private async certificate(): Promise<string[]> {
    const [key, certificate] = [path.join(this.data, "key.pem"), path.join(this.data, "certificate.pem")];
    if (!existsSync(key)) {
      const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
      const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
      await promisify(execFile)("openssl", ["req", ...kind, ...name, "-keyout", key, "-out", certificate]);
    }
    return ["--tls-cert", certificate, "--tls-key", key];
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child) return;
    allowErrors(NETWORK);
    const ended = once(child, "exit");
    child.kill(signal);
    const overdue = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(overdue);
  }

  private async launch(): Promise<void> {
    const { args = [], env = {} } = this.options;
    const listen = `127.0.0.1:${this.port}`;
    const place = this.database ? ["--database", this.database] : ["--data", this.data];
    const encryption = this.options.encrypts ? await this.certificate() : [];
    const child = spawn(binary(), ["serve", "--listen", listen, ...place, ...encryption, ...args], {
      cwd: project, // where target/site and Leptos.toml are
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    running.add(child);
    child.once("exit", (code, signal) => {
      running.delete(child);
      this.log += `[the server ended: ${signal ?? code}]\n`;
      if (this.child === child) this.child = undefined;
    });

    await new Promise<void>((resolve, reject) => {
      const failed = (why: string) => {
        clearTimeout(overdue);
        reject(new Error(`The server ${why}. It wrote:\n${this.log}`));
      };
      const overdue = setTimeout(() => failed("did not say its address within 15 s"), 15_000);
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
        output += text;
        const port = /^Sheetbend serves on https?:\/\/127\.0\.0\.1:(\d+)\s*$/m.exec(output)?.[1];
        if (port && output.includes("\n")) {
          clearTimeout(overdue);
          this.port = Number(port);
          resolve();
        }
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text));
      child.once("error", (error) => {
        if (this.child === child) this.child = undefined;
        failed(`could not be started: ${error.message}`);
      });
      child.once("close", () => failed("ended before it served"));
    });
  }
}

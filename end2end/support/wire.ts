// A client that was written from `docs/protocol.md` alone: what works here works for anyone who has read that page.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

export type Change = { kind: string } & Record<string, unknown>;

export interface Entry {
  version: number;
  digest: string;
  id: string;
  author: string;
  timestamp: number;
  change: Change | null;
  refused: { code: string; message: string } | null;
}

export interface SyncResponse {
  document: string;
  server_version: number;
  digest: string;
  access: "edit" | "view";
  snapshot: unknown;
  changes: Entry[];
  rewound: boolean;
}

let lastTime = 0;

/** A UUIDv7, greater than all that were made here before: each takes a millisecond of its own. */
export function newId(): string {
  lastTime = Math.max(Date.now(), lastTime + 1);
  const time = lastTime.toString(16).padStart(12, "0");
  const random = randomBytes(9).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
}

/** The digest of the log up to `entry`. `change` is the entry's as it stands in the message. */
export function digestAfter(before: string, entry: Entry, change: string): string {
  const integer = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  const hash = createHash("sha256").update(before, "hex").update(integer(entry.version));
  hash.update(entry.id.replaceAll("-", ""), "hex").update(integer(entry.timestamp));
  const refusal = entry.refused ? `${entry.refused.code}\n${entry.refused.message}` : "";
  for (const text of [entry.author, change, refusal]) hash.update(integer(Buffer.byteLength(text))).update(text);
  return hash.digest("hex").slice(0, 32);
}

/** The entries' changes as they stand in a message: what is parsed and written again may differ, as 1000.0 does. */
export function changeTexts(message: string): string[] {
  const texts: string[] = [];
  let [depth, start, before] = [0, -1, ""];
  for (const { 0: token, index } of message.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "}" || token === "]") depth -= 1;
    // The message, its list, an entry: the third level.
    if (start >= 0 && ((depth === 3 && token === ",") || depth === 2)) {
      texts.push(message.slice(start, index).trim());
      start = -1;
    }
    if (depth === 3 && token === ":" && before === '"change"') start = index + 1;
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return texts;
}

/** One connection. Emits the server's messages by their types, each with its text; pings it answers itself. */
export class Line extends EventEmitter {
  /** How the server ended it: the close code, and what its `bye` said. */
  readonly ended: Promise<{ close: number; code?: string; retry?: string }>;

  private constructor(readonly socket: WebSocket) {
    super();
    let bye = {};
    this.ended = new Promise((resolve) => socket.once("close", (close) => resolve({ ...bye, close })));
    socket.on("message", (data) => {
      const message = JSON.parse(String(data));
      if (message.type === "bye") bye = { code: message.code, retry: message.retry };
      if (message.type === "ping") this.send({ type: "pong", nonce: message.nonce });
      this.emit(message.type, message, String(data));
    });
  }

  static async open(url: string, protocols = ["sheetbend.v1"], options: ClientOptions = {}): Promise<Line> {
    const line = new Line(new WebSocket(`${url.replace("http", "ws")}/api/sync`, protocols, options));
    await once(line.socket, "open");
    return line;
  }

  /** Text goes as it is, bytes as a binary frame. */
  send(message: object | string | Buffer): void {
    const ready = typeof message === "string" || Buffer.isBuffer(message);
    this.socket.send(ready ? message : JSON.stringify(message));
  }

  /** The next message of a type. */
  async next<M>(type: string): Promise<M> {
    const ended = this.ended.then((how) => Promise.reject(new Error(`No ${type} came, but ${JSON.stringify(how)}`)));
    return (await Promise.race([once(this, type), ended]))[0];
  }
}

/** Someone at a board without a page: keeps a cursor and the log, and offers changes until the log has decided. */
export class Wire {
  version = 0;
  digest = "0".repeat(32);
  /** The entries since the beginning, or since the last snapshot. */
  log: Entry[] = [];
  line!: Line;

  private readonly replica = randomUUID();
  private readonly offered = new Map<string, Change>();
  private readonly pending = new Set<string>();
  private readonly decided = new EventEmitter().setMaxListeners(0);

  constructor(
    readonly url: string,
    readonly key: string,
    readonly name = "",
  ) {}

  /** Connects, or connects again, from the cursor. */
  async connect(): Promise<SyncResponse> {
    this.line?.socket.terminate();
    this.line = await Line.open(this.url);
    this.line.on("sync_response", (message, text) => this.synced(message, text));
    this.line.on("committed", (message, text) => this.take(message.entries, text));
    const { key, replica, version, digest, name } = this;
    this.line.send({ type: "sync_request", key, replica, version, digest, name });
    return this.line.next("sync_response");
  }

  /** Offers a change, and waits until it is in the log: saved, or refused. */
  async offer(change: Change, id = newId()): Promise<Entry> {
    this.offered.set(id, change);
    this.pending.add(id);
    this.line.send({ type: "changes", changes: [{ id, change }] });
    return (await once(this.decided, id))[0];
  }

  // What does not add up is thrown at nobody, which fails the test.
  private synced(message: SyncResponse, text: string): void {
    if (message.snapshot) [this.log, this.version, this.digest] = [[], message.server_version, message.digest];
    this.take(message.changes, text);
    const there = this.version === message.server_version && this.digest === message.digest;
    if (!there) throw new Error(`not at the version and digest of: ${text}`);
    // A server that has lost a part of the log gets it back; what it still has it knows by the ids.
    const again = [...this.offered].filter(([id]) => message.rewound || this.pending.has(id));
    if (again.length > 0) this.line.send({ type: "changes", changes: again.map(([id, change]) => ({ id, change })) });
  }

  private take(entries: Entry[], text: string): void {
    const changes = changeTexts(text);
    for (const [n, entry] of entries.entries()) {
      if (entry.version > this.version) {
        if (entry.version > this.version + 1) throw new Error(`a gap behind ${this.version}: ${text}`);
        const digest = digestAfter(this.digest, entry, changes[n] ?? "");
        if (digest !== entry.digest) throw new Error(`the digest is not ${digest}: ${text}`);
        this.log.push(entry);
        [this.version, this.digest] = [entry.version, digest];
      }
      this.pending.delete(entry.id);
      this.decided.emit(entry.id, entry);
    }
  }
}

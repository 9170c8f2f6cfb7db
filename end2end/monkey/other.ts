import { randomBytes, randomUUID } from "node:crypto";
import type { Board } from "../support/board.ts";
import type { Server } from "../support/server.ts";
import { Wire } from "../support/wire.ts";
import type { Random } from "./random.ts";
import type { List } from "./look.ts";

/** A second person on the same board, who changes it over the wire. */
export class Other {
  private wire?: Wire;
  /** Everything that was in a log entry. */
  log = "";
  private read = 0;

  constructor(
    private readonly server: Server,
    public board: Board,
  ) {}

  /** The address of the board's page with its present key. */
  get url(): string {
    return `${this.server.url}/b/${this.board.editKey}`;
  }

  /** Connects again, after the server or the key has changed. */
  async connect(): Promise<void> {
    this.wire ??= new Wire(this.server.direct, this.board.editKey);
    await this.wire.connect();
    this.take();
  }

  /** Ends the connection; the log read so far stays. */
  disconnect(): void {
    this.wire?.line.socket.terminate();
    this.wire = undefined;
    this.read = 0;
  }

  /** Takes over what the log has had since. */
  take(): void {
    for (const entry of this.wire?.log.slice(this.read) ?? []) this.log += `${JSON.stringify(entry.change)}\n`;
    this.read = this.wire?.log.length ?? 0;
  }

  /** Puts a new key in the place of the board's. */
  async replaceKey(): Promise<void> {
    const key = randomBytes(16).toString("base64url");
    const body = JSON.stringify({ edit_key: this.board.editKey, new_edit_key: key });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${this.server.direct}/api/keys`, { method: "POST", headers, body });
    if (answer.status !== 200) throw new Error(`POST /api/keys answered ${answer.status}`);
    this.useKey(key);
  }

  /** The board has this edit key now. */
  useKey(key: string): void {
    this.disconnect();
    this.board.editKey = key;
  }

  /** Leaves the board for another one. */
  async leaveFor(board: Board): Promise<void> {
    this.disconnect();
    this.board = board;
    await this.connect();
  }

  /** Does something to the board. Returns what. */
  async act(random: Random, lists: List[], step: number): Promise<string> {
    const cards = lists.flatMap((list) => list.cards.map((card) => ({ ...card, list: list.id })));
    const [list, card] = [random.pick(lists), random.pick(cards)];
    const text = `by another ${step}`;
    const change = random.weighted<object | undefined>([
      [3, list && { kind: "add_card", card: randomUUID(), list: list.id, title: text, position: `m${step}V` }],
      [1, { kind: "add_list", list: randomUUID(), title: text, position: `m${step}V`, archived: false }],
      [1, { kind: "rename_board", title: text }],
      [1, list && { kind: "rename_list", list: list.id, title: text }],
      [4, card && { kind: "rename_card", card: card.id, title: text }],
      [2, card && { kind: "edit_notes", card: card.id, from: "", to: text }],
      [2, card && { kind: "set_done", card: card.id, done: !card.done }],
      [1, card && { kind: "set_urgent", card: card.id, urgent: !card.urgent }],
      [1, card && { kind: "set_label", card: card.id, label: `L${step % 7}`, on: random.happens(0.7) }],
      [1, card && { kind: "set_due", card: card.id, due: random.happens(0.5) ? "2026-12-24" : null }],
      [3, card && list && { kind: "move_card", card: card.id, list: list.id, position: `n${step}V` }],
      [4, card && { kind: "archive_card", card: card.id, archived: true }],
      [1, list && lists.length < 2 ? undefined : list && { kind: "archive_list", list: list.id, archived: true }],
    ]);
    // A crowded board makes each step slow.
    const many = cards.length > 40 ? cards.slice(0, 10).map(({ id }) => ({ kind: "archive_card", card: id, archived: true })) : [];
    const changes = [...(change ? [change] : []), ...many];
    if (!this.wire) await this.connect();
    for (const change of changes) await this.wire!.offer(change as { kind: string });
    this.take();
    return changes.map((change) => JSON.stringify(change)).join(" ");
  }
}

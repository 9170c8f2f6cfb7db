import { randomUUID } from "node:crypto";
import { newBoard } from "../support/board.ts";
import { expect, test } from "../support/fixtures.ts";
import { Person } from "../support/person.ts";
import { type Change, changeTexts, digestAfter, type Entry, Line, newId, Wire } from "../support/wire.ts";

async function wire(url: string, key: string, name = ""): Promise<Wire> {
  const client = new Wire(url, key, name);
  await client.connect();
  return client;
}

/** The board as it is: what a client that wants no log asks for. */
async function snapshot(url: string, key: string): Promise<unknown> {
  const client = new Wire(url, key);
  client.digest = "f".repeat(32);
  const response = await client.connect();
  client.line.socket.close();
  return response.snapshot;
}

const syncRequest = (key: string) => ({
  type: "sync_request",
  key,
  replica: randomUUID(),
  version: 0,
  digest: "0".repeat(32),
});

/** How the server ends a connection on which these messages were sent. */
async function ending(url: string, ...messages: (object | string | Buffer)[]) {
  const line = await Line.open(url);
  for (const message of messages) line.send(message);
  return line.ended;
}

const badMessage = { close: 4400, code: "bad_message", retry: "never" };

test("a client written from the documentation plans with a browser", async ({ board, browser, server }) => {
  const ada = await Person.at(browser, board.editUrl);
  const client = await wire(server.direct, board.editKey, "Wire");
  const list = randomUUID();
  const [rope, lamps] = [randomUUID(), randomUUID()];

  await client.offer({ kind: "add_list", list, title: "To do", position: "a0" });
  await client.offer({ kind: "add_card", card: rope, list, position: "a0", title: "Buy rope" });
  await client.offer({ kind: "add_card", card: lamps, list, position: "a1", title: "Hang lamps" });
  await client.offer({ kind: "set_urgent", card: lamps, urgent: true });
  await expect(ada.cards("To do")).toHaveText(["Buy rope", "Hang lamps"]);
  await expect(ada.card("Hang lamps")).toContainText("Urgent");
  await client.offer({ kind: "move_card", card: lamps, list, position: "Zz" });
  await expect(ada.cards("To do")).toHaveText(["Hang lamps", "Buy rope"]);

  await ada.card("Buy rope").getByRole("checkbox", { name: "Done" }).check();
  await ada.addCards("To do", "Call the band");
  await ada.isSaved();
  await expect
    .poll(() => client.log.map(({ change, refused }) => ({ change, refused })))
    .toContainEqual({ change: { kind: "set_done", card: rope, done: true }, refused: null });
  await expect
    .poll(() => client.log.map(({ change }) => change))
    .toContainEqual(expect.objectContaining({ kind: "add_card", list, title: "Call the band" }));
  expect(new Set(client.log.map(({ author }) => author)).size, "Wire and the one without a name").toBe(2);
});

test("a change that is offered twice, and again on the next line, is in the log once", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const witness = await wire(server.direct, board.editKey);
  const change = { kind: "add_list", list: randomUUID(), title: "To do", position: "a0" };
  const id = newId();

  const first = await client.offer(change, id);
  expect(first).toMatchObject({ version: 1, id, change, refused: null });
  expect(await client.offer(change, id), "the entry as it was").toEqual(first);
  await client.connect();
  expect(await client.offer(change, id)).toEqual(first);
  // In one message, with another change under the id of the first.
  const committed = client.line.next<{ entries: Entry[] }>("committed");
  const another = { id, change: { kind: "rename_board", title: "No" } };
  client.line.send({ type: "changes", changes: [{ id, change }, another] });
  expect((await committed).entries).toContainEqual(first);

  await client.offer({ kind: "rename_board", title: "Harbour fair" });
  await expect.poll(() => witness.version).toBe(2);
  expect(witness.log.map((entry) => entry.id)).toEqual(client.log.map((entry) => entry.id));
  expect(client.log).toHaveLength(2);
});

test("a change whose answer was lost is settled by the connection after", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  await server.kill();
  const decided = client.offer({ kind: "rename_board", title: "Harbour fair" });
  await client.line.ended;
  await server.restart();
  await client.connect();
  expect(await decided).toMatchObject({ version: 1, refused: null });
});

test("every kind of change does what the documentation says", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey, "Ada");
  const [todo, done, away] = [randomUUID(), randomUUID(), randomUUID()];
  const [rope, lamps, flags] = [randomUUID(), randomUUID(), randomUUID()];
  const full = {
    list: todo,
    position: "a1",
    title: "Hang lamps",
    notes: "12",
    done: true,
    urgent: true,
    labels: ["quay 3"],
    due: "2026-11-24",
    archived: true,
  };
  const changes: Change[] = [
    { kind: "rename_board", title: "Harbour fair" },
    { kind: "add_list", list: todo, title: "To do", position: "a0" },
    { kind: "add_list", list: done, title: "Done", position: "a0V" },
    { kind: "add_list", list: away, title: "Old", position: "a2", archived: true },
    { kind: "rename_list", list: todo, title: "Today" },
    { kind: "move_list", list: done, position: "a1" },
    { kind: "archive_list", list: done, archived: true },
    { kind: "archive_list", list: away, archived: false },
    { kind: "add_card", card: rope, list: todo, position: "a0", title: "Buy rope" },
    { kind: "add_card", card: lamps, ...full },
    { kind: "import_cards", cards: [[flags, full]] },
    { kind: "rename_card", card: rope, title: "Buy more rope" },
    { kind: "edit_notes", card: rope, from: "", to: "12 mm, 40 m" },
    { kind: "set_done", card: rope, done: true },
    { kind: "set_urgent", card: rope, urgent: true },
    { kind: "set_label", card: rope, label: "quay 3", on: true },
    { kind: "set_label", card: rope, label: "Quay 1", on: true },
    { kind: "set_label", card: rope, label: "gone", on: true },
    { kind: "set_label", card: rope, label: "gone", on: false },
    { kind: "set_due", card: rope, due: "2026-11-24" },
    { kind: "set_due", card: lamps, due: null },
    // The list is archived, which is no reason to refuse.
    { kind: "move_card", card: rope, list: done, position: "Zz" },
    { kind: "archive_card", card: rope, archived: true },
    { kind: "archive_card", card: lamps, archived: false },
  ];
  for (const [n, change] of changes.entries()) {
    const entry = await client.offer(change);
    expect(entry).toMatchObject({ version: n + 1, author: "Ada", change, refused: null });
  }

  expect(await snapshot(server.direct, board.viewKey)).toMatchObject({
    title: "Harbour fair",
    lists: {
      [todo]: { title: "Today", position: "a0" },
      [done]: { title: "Done", position: "a1", archived: true },
      [away]: { title: "Old", position: "a2" },
    },
    cards: {
      [rope]: {
        list: done,
        position: "Zz",
        title: "Buy more rope",
        notes: "12 mm, 40 m",
        done: true,
        urgent: true,
        labels: ["Quay 1", "quay 3"],
        due: "2026-11-24",
        archived: true,
      },
      [lamps]: { list: todo, position: "a1", title: "Hang lamps", notes: "12", done: true, urgent: true },
      [flags]: full,
    },
  });
});

test("changes are refused where the documentation says so, and change nothing", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const [list, card, nowhere] = [randomUUID(), randomUUID(), randomUUID()];
  const labels = Array.from({ length: 20 }, (_, n) => `label ${n}`);
  const notes = "x".repeat(32_768);
  await client.offer({ kind: "add_list", list, title: "To do", position: "a0" });
  await client.offer({ kind: "add_card", card, list, position: "a0", title: "é".repeat(500), labels, notes });
  expect(client.log.map(({ refused }) => refused)).toEqual([null, null]);
  const before = await snapshot(server.direct, board.editKey);

  const place = { list, position: "a1" };
  const refusals: [string, Change][] = [
    ["list_exists", { kind: "add_list", list, title: "Again", position: "a1" }],
    ["card_exists", { kind: "add_card", card, ...place, title: "Again" }],
    // All or none: the first of the two could be added.
    ["card_exists", { kind: "import_cards", cards: [nowhere, card].map((id) => [id, { ...place, title: "" }]) }],
    ["no_such_list", { kind: "add_card", card: nowhere, list: nowhere, position: "a0", title: "Lost" }],
    ["no_such_list", { kind: "move_card", card, list: nowhere, position: "a0" }],
    ["no_such_list", { kind: "rename_list", list: nowhere, title: "Lost" }],
    ["no_such_list", { kind: "move_list", list: nowhere, position: "a0" }],
    ["no_such_list", { kind: "archive_list", list: nowhere, archived: true }],
    ["no_such_card", { kind: "rename_card", card: nowhere, title: "Lost" }],
    ["no_such_card", { kind: "edit_notes", card: nowhere, from: "", to: "Lost" }],
    ["no_such_card", { kind: "set_done", card: nowhere, done: true }],
    ["no_such_card", { kind: "archive_card", card: nowhere, archived: true }],
    ["too_many_labels", { kind: "set_label", card, label: "one more", on: true }],
    ["title_too_long", { kind: "rename_card", card, title: "é".repeat(501) }],
    ["title_too_long", { kind: "rename_board", title: "x".repeat(501) }],
    ["notes_too_long", { kind: "edit_notes", card, from: notes, to: `${notes}x` }],
    ["notes_too_long", { kind: "edit_notes", card, from: "", to: "merged, it is too long" }],
    ["label_too_long", { kind: "set_label", card, label: "x".repeat(41), on: true }],
    ["label_empty", { kind: "set_label", card, label: " ", on: true }],
    ["unknown_change", { kind: "sing", loud: 1e21 }],
    ["unknown_change", { kind: "rename_card", card }],
    ["unknown_change", { kind: "set_due", card, due: "2026-02-30" }],
    ["unknown_change", { kind: "move_list", list, position: "a00" }],
  ];
  for (const [code, change] of refusals) {
    const { refused } = await client.offer(change);
    expect(refused, JSON.stringify(change).slice(0, 200)).toEqual({ code, message: expect.stringMatching(/\S/) });
  }
  const large = await client.offer({ kind: "edit_notes", card, from: "", to: "x".repeat(409_600) });
  expect(large).toMatchObject({ change: null, refused: { code: "too_large" } });

  expect(await snapshot(server.direct, board.editKey)).toEqual(before);
  // It is final for the id, even if it could be applied by now.
  const id = newId();
  await client.offer({ kind: "rename_list", list: nowhere, title: "Late" }, id);
  await client.offer({ kind: "add_list", list: nowhere, title: "Done", position: "a1" });
  const late = await client.offer({ kind: "rename_list", list: nowhere, title: "Late" }, id);
  expect(late.refused?.code).toBe("no_such_list");
});

test("a board has room for 500 lists and 20,000 cards", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const list = randomUUID();
  const addList = (id: string) => client.offer({ kind: "add_list", list: id, title: "", position: "a0" });
  const lists = await Promise.all([list, ...Array.from({ length: 500 }, () => randomUUID())].map(addList));
  expect(lists.map(({ refused }) => refused?.code)).toEqual([...Array(500).fill(undefined), "too_many_lists"]);

  const importCards = (count: number) => {
    const cards = Array.from({ length: count }, () => [randomUUID(), { list, position: "a0", title: "" }]);
    return client.offer({ kind: "import_cards", cards });
  };
  const cards = await Promise.all([...Array(50).fill(400), 1].map(importCards));
  expect(cards.map(({ refused }) => refused?.code)).toEqual([...Array(50).fill(undefined), "too_many_cards"]);
});

test("notes that were written at the same time are merged as documented", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const list = randomUUID();
  await client.offer({ kind: "add_list", list, title: "To do", position: "a0" });
  const merged = [
    ["Milk", "Milk eggs", "Milk bread", "Milk eggs bread"],
    ["one two three", "1 two three", "one two 3", "1 two 3"],
    ["call Ada", "call Ada today", "ring Ada", "ring Ada today"],
    ["same", "now", "same", "now"],
    ["before", "now", "now", "now"],
  ] as const;
  const expected: Record<string, unknown> = {};
  for (const [from, now, to, result] of merged) {
    const card = randomUUID();
    await client.offer({ kind: "add_card", card, list, position: "a0", title: "", notes: now });
    await client.offer({ kind: "edit_notes", card, from, to });
    expected[card] = expect.objectContaining({ notes: result });
  }
  expect(await snapshot(server.direct, board.editKey)).toMatchObject({ cards: expected });
});

test("the digests of a log can be computed from its entries", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey, "Åda");
  await client.offer({ kind: "rename_board", title: "Blüten \u{1F33C}\n\"quoted\"" });
  await client.offer({ kind: "set_done", card: randomUUID(), done: true });
  await client.offer({ kind: "edit_notes", card: randomUUID(), from: "", to: "x".repeat(409_600) });
  // Kinds that are not known are kept with all they hold, written as the server writes it.
  const committed = client.line.next("committed");
  const sing = '{ "kind": "sing", "loud": 1e3, "change": {"a": [1]} }';
  client.line.send(`{"type":"changes","changes":[{"id":"${newId()}","change":${sing}}]}`);
  await committed;
  const codes = client.log.map(({ refused }) => refused?.code);
  expect(codes).toEqual([undefined, "no_such_card", "too_large", "unknown_change"]);
  // The client has compared the digest of each as it came. Over the same bytes, the other way round:
  const texts = changeTexts(JSON.stringify({ type: "committed", entries: client.log.slice(0, 3) }));
  expect(texts).toEqual(client.log.slice(0, 3).map(({ change }) => JSON.stringify(change)));
  expect(texts[2], "the log keeps null in the place of what is too large").toBe("null");
});

test("the digests in the documentation's conversation are right", () => {
  const list = "0193a5d1-0001-7000-8000-000000000001";
  const change = { kind: "add_list", list, title: "To do", position: "a0" };
  const entry: Entry = {
    version: 1,
    digest: "1a442f90f361eb1c0296bb5487723246",
    id: "0193a5d1-1000-7000-8000-000000000001",
    author: "Ada",
    timestamp: 1795502763239,
    change,
    refused: null,
  };
  expect(digestAfter("0".repeat(32), entry, JSON.stringify(change))).toBe(entry.digest);
  const card = "0193a5d1-0002-7000-8000-000000000002";
  const second = { ...entry, version: 2, id: "0193a5d1-1001-7000-8000-000000000002" };
  const add = JSON.stringify({ kind: "add_card", card, list, position: "a0", title: "Buy rope" });
  expect(digestAfter(entry.digest, second, add)).toBe("a6236af80b193f1e383d4ddb6fe90058");
});

test("a client comes back with its cursor and gets what it missed, or the board where that is smaller", async ({
  board,
  server,
}) => {
  const client = await wire(server.direct, board.editKey);
  const other = await wire(server.direct, board.editKey);
  await client.offer({ kind: "add_list", list: randomUUID(), title: "x".repeat(500), position: "a0" });
  client.line.socket.close();
  await client.line.ended;
  await other.offer({ kind: "rename_board", title: "Missed" });
  expect(await client.connect()).toMatchObject({ server_version: 2, snapshot: null, rewound: false, access: "edit" });
  expect(client.log).toHaveLength(2);

  for (let n = 0; n < 20; n += 1) await other.offer({ kind: "rename_board", title: `${n}`.repeat(250) });
  const late = new Wire(server.direct, board.viewKey);
  expect(await late.connect()).toMatchObject({ server_version: 22, changes: [], rewound: false, access: "view" });
  expect([late.version, late.digest]).toEqual([other.version, other.digest]);
  await other.offer({ kind: "rename_board", title: "And on" });
  await expect.poll(() => late.digest).toBe(other.digest);
});

test("a cursor of another history is answered with a snapshot, as rewound", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  await client.offer({ kind: "rename_board", title: "Harbour fair" });
  for (const [version, digest] of [
    [1, "f".repeat(32)],
    [2, client.digest],
  ] as const) {
    const stranger = new Wire(server.direct, board.editKey);
    [stranger.version, stranger.digest] = [version, digest];
    const response = await stranger.connect();
    expect(response).toMatchObject({ rewound: true, server_version: 1, changes: [] });
    expect(response).toMatchObject({ snapshot: { title: "Harbour fair" } });
    expect([stranger.version, stranger.digest]).toEqual([1, client.digest]);
  }
});

test("what a restored backup has lost comes back from its author", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const kept = await client.offer({ kind: "rename_board", title: "Kept" });
  const copy = await server.copy();
  await client.connect();
  const lost = await client.offer({ kind: "rename_board", title: "Lost" });
  await server.putBack(copy);

  const response = await client.connect();
  expect(response).toMatchObject({ rewound: true, server_version: 1, snapshot: { title: "Kept" } });
  expect(response.digest).toBe(kept.digest);
  await expect.poll(() => client.log.map(({ id }) => id)).toEqual([lost.id]);
  expect(client.version).toBe(2);
  expect(await snapshot(server.direct, board.editKey)).toMatchObject({ title: "Lost" });
});

test("the server says goodbye, and why", async ({ board, server }) => {
  const [url, hello] = [server.direct, syncRequest(board.editKey)];
  const rename = { type: "changes", changes: [{ id: newId(), change: { kind: "rename_board", title: "No" } }] };
  const unknownKey = { close: 4404, code: "unknown_key", retry: "never" };
  expect(await ending(url, syncRequest(newBoard(url).editKey))).toEqual(unknownKey);

  expect.soft(await ending(url, rename), "no sync_request first").toEqual(badMessage);
  expect.soft(await ending(url, { type: "ping", nonce: 1 }, hello), "no sync_request first").toEqual(badMessage);
  expect.soft(await ending(url, hello, hello), "sync_request twice").toEqual(badMessage);
  expect.soft(await ending(url, "{"), "no JSON").toEqual(badMessage);
  expect.soft(await ending(url, hello, '{"type":'), "no JSON").toEqual(badMessage);
  expect.soft(await ending(url, hello, Buffer.from('{"type":"ping","nonce":1}')), "binary").toEqual(badMessage);
  const noUuid = { type: "changes", changes: [{ id: "1", change: { kind: "rename_board", title: "No" } }] };
  expect.soft(await ending(url, hello, noUuid), "an id that is no UUID").toEqual(badMessage);

  const tooLarge = { close: 1009, code: "too_large", retry: "later" };
  expect.soft(await ending(url, hello, { type: "ping", nonce: 1, pad: "x".repeat(524_288) })).toEqual(tooLarge);
  const viewOnly = { close: 4403, code: "view_only", retry: "never" };
  expect.soft(await ending(url, syncRequest(board.viewKey), rename)).toEqual(viewOnly);
  expect(await snapshot(url, board.viewKey)).toEqual({ title: "", lists: {}, cards: {} });
});

test("a message of just the permitted length is read", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  const pong = client.line.next("pong");
  const ping = (pad: string) => JSON.stringify({ type: "ping", nonce: 1, pad });
  client.line.send(ping("x".repeat(524_288 - ping("").length)));
  expect(await pong).toEqual({ type: "pong", nonce: 1 });
});

test("a client that says nothing is told to come back", async ({ server }) => {
  expect(await ending(server.direct)).toEqual({ close: 4408, code: "timed_out", retry: "later" });
});

test("a server that is stopped says that it drains", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  await server.stop();
  expect(await client.line.ended).toEqual({ close: 1001, code: "draining", retry: "later" });
});

test("the server's heartbeat comes in its time", async ({ board, server }) => {
  const client = await wire(server.direct, board.editKey);
  expect(await client.line.next("ping")).toEqual({ type: "ping", nonce: expect.any(Number), version: 0 });
});

test("without the subprotocol, or from a strange page, there is no connection", async ({ server }) => {
  await expect(Line.open(server.direct, [])).rejects.toThrow("400");
  await expect(Line.open(server.direct, ["sheetbend.v0"])).rejects.toThrow("400");
  const stranger = await Line.open(server.direct, undefined, { origin: "https://example.org" });
  expect(await stranger.ended).toEqual({ close: 4405, code: "origin_refused", retry: "never" });
  const line = await Line.open(server.direct, ["sheetbend.v0", "sheetbend.v1"], { origin: server.direct });
  expect(line.socket.protocol).toBe("sheetbend.v1");
  expect(line.socket.extensions, "no compression").toBe("");
});

test("message types and fields that the server does not know are ignored", async ({ board, server }) => {
  const line = await Line.open(server.direct);
  line.send({ ...syncRequest(board.editKey), mood: "sunny" });
  await line.next("sync_response");
  line.send({ type: "wave", to: "all" });
  line.send({ type: "pong", nonce: 5 });
  const id = newId();
  const change = { kind: "rename_board", title: "Harbour fair", mood: "sunny" };
  line.send({ type: "changes", changes: [{ id, change, mood: "sunny" }], mood: "sunny" });
  const committed = await line.next<{ entries: Entry[] }>("committed");
  expect(committed.entries).toEqual([expect.objectContaining({ id, refused: null })]);
  const pong = line.next("pong");
  line.send({ type: "ping", nonce: 7, mood: "sunny" });
  expect(await pong).toEqual({ type: "pong", nonce: 7 });
});

test("to make a board twice is to make it once", async ({ server }) => {
  const board = newBoard(server.direct);
  const post = async (body: object | string) => {
    const response = await fetch(`${server.direct}/api/boards`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const made = { id: board.id, view_key: board.viewKey };
  expect(await post({ id: board.id, edit_key: board.editKey })).toEqual({ status: 201, body: made });
  expect(await post({ id: board.id, edit_key: board.editKey })).toEqual({ status: 200, body: made });

  const error = (code: string) => ({ error: { code, message: expect.stringMatching(/\S/) } });
  const taken = { status: 409, body: error("taken") };
  expect(await post({ id: board.id, edit_key: newBoard("").editKey })).toEqual(taken);
  expect(await post({ id: randomUUID(), edit_key: board.editKey })).toEqual(taken);
  expect(await post("{")).toEqual({ status: 400, body: error("malformed") });
  expect(await post("x".repeat(4_097))).toEqual({ status: 413, body: error("too_large") });
  expect(await post({ id: board.id, edit_key: "short" })).toEqual({ status: 422, body: error("invalid") });
});

test("the probe gives back what only this server can know", async ({ server }) => {
  const nonce = "k3Jd-_.~".repeat(8);
  for (const method of ["GET", "HEAD"]) {
    const response = await fetch(`${server.direct}/api/ping?nonce=${nonce}`, { method });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-sheetbend-nonce")).toBe(nonce);
  }
});

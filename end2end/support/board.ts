import { createHash, randomBytes, randomUUID } from "node:crypto";

/** A board and its two keys, as its maker knows them. */
export interface Board {
  id: string;
  editKey: string;
  viewKey: string;
  editUrl: string;
  viewUrl: string;
}

/** A new board's id and keys, made here as any client makes them; the server has not heard of it yet. */
export function newBoard(url: string): Board {
  const [id, editKey] = [randomUUID(), randomBytes(16).toString("base64url")];
  const viewKey = createHash("sha256").update(`sheetbend view key\n${editKey}`).digest().subarray(0, 16).toString("base64url");
  return { id, editKey, viewKey, editUrl: `${url}/b/${editKey}`, viewUrl: `${url}/b/${viewKey}` };
}

/** Tells the server of a board; again is the same as once. */
export async function registerBoard(url: string, board: Board): Promise<void> {
  const response = await fetch(`${url}/api/boards`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: board.id, edit_key: board.editKey }),
    signal: AbortSignal.timeout(10_000),
  });
  // 201 when it is new, 200 when the server had it already.
  if (response.status !== 201 && response.status !== 200) {
    throw new Error(`POST /api/boards answered ${response.status}: ${await response.text()}`);
  }
}

/** Makes a board on the server at `url`. */
export async function createBoard(url: string): Promise<Board> {
  const board = newBoard(url);
  await registerBoard(url, board);
  return board;
}

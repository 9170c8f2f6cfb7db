// Hocuspocus with its database extension over SQLite. It is Yjs too; a document is written two seconds after a change, so what was sent
// on and "synced" before that is lost with the process.
import { join } from "node:path";
import { Database as Persistence } from "@hocuspocus/extension-database";
import { Server } from "@hocuspocus/server";
import Database from "better-sqlite3";

const db = new Database(join(process.env.DATA, "hocuspocus.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, data BLOB)");
const fetch = db.prepare("SELECT data FROM documents WHERE name = ?");
const store = db.prepare("INSERT INTO documents VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data");

const server = new Server({
  port: Number(process.env.PORT),
  address: "127.0.0.1",
  quiet: true,
  stopOnSignals: false,
  extensions: [
    new Persistence({
      fetch: async ({ documentName }) => fetch.get(documentName)?.data ?? null,
      store: async ({ documentName, state }) => void store.run(documentName, state),
    }),
  ],
});
await server.listen();
console.log("listening");
process.on("SIGTERM", () => process.exit());

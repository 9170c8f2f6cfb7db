// Socket.IO, as its documentation has it. MODE=memory: nothing is kept. MODE=recovery: with connection state recovery, which sends a
// client what it missed in two minutes, from memory. MODE=sqlite: recovery, and every change is in SQLite before it is acknowledged and
// sent on, once by the id that the client gave it, as the tutorial does. It is not asked for a change that a client did not get
// acknowledged: resending is the app's.
import { createServer } from "node:http";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Server } from "socket.io";

const mode = process.env.MODE ?? "memory";
const http = createServer();
const io = new Server(http, mode === "memory" ? {} : { connectionStateRecovery: {} });

let keep = () => {};
if (mode === "sqlite") {
  const db = new Database(join(process.env.DATA, "socketio.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, room TEXT, content TEXT)");
  const insert = db.prepare("INSERT OR IGNORE INTO messages (id, room, content) VALUES (?, ?, ?)");
  keep = (id, room, content) => insert.run(id, room, content);
}

io.on("connection", (socket) => {
  socket.on("join", (room, acknowledge) => {
    socket.data.room = room;
    socket.join(room);
    acknowledge();
  });
  socket.on("change", (id, content, acknowledge) => {
    keep(id, socket.data.room, content);
    io.to(socket.data.room).emit("change", content);
    acknowledge();
  });
});
http.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit());

// y-websocket's own server, without persistence: documents are in memory, and gone with the process. Merging is Yjs's, so a change that
// is resent is there once.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { setupWSConnection } from "y-websocket/bin/utils";

const http = createServer();
new WebSocketServer({ server: http, perMessageDeflate: false }).on("connection", (socket, request) =>
  setupWSConnection(socket, request),
);
http.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit());

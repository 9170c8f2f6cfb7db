// Starts each of the servers in Node on a free port and speaks its protocol by hand over `ws`: somebody comes, says something, and hears
// it, and a server that keeps a file starts again beside it. It does not look at speed, at what is on disk after a crash, at a change
// that is sent twice, or at what is sent again to who was away; nor at the servers in Rust.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";
import * as Y from "yjs";

const PATIENCE = 5000;

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function start(file, mode, data) {
  const port = await freePort();
  const env = { ...process.env, NODE_ENV: "production", PORT: String(port), DATA: data, MODE: mode };
  const child = spawn(process.execPath, [join(import.meta.dirname, "servers", file)], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await within(gone, "ends on SIGTERM").catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
  };
  try {
    const said = await within(Promise.race([once(child.stdout, "data"), gone.then(() => [""])]), "starts");
    if (String(said[0]) !== "listening\n") throw new Error(`it does not start: ${JSON.stringify(String(said[0]))}`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { port, stop };
}

// A client that keeps what it hears until it is asked for.
async function client(address) {
  const socket = new WebSocket(`ws://127.0.0.1:${address}`, { perMessageDeflate: false });
  const heard = [];
  let wake = () => {};
  socket.on("message", (message, binary) => {
    heard.push(binary ? message.toString("hex") : message.toString());
    wake();
  });
  await within(once(socket, "open"), "opens");
  const hear = (what, is) =>
    within(
      (async () => {
        for (;;) {
          const at = heard.findIndex(is);
          if (at >= 0) return heard.splice(at, 1)[0];
          await new Promise((resolve) => (wake = resolve));
        }
      })(),
      what,
    ).catch((error) => {
      throw new Error(`${error.message}; heard ${JSON.stringify(heard)}`);
    });
  return { say: (message) => socket.send(message), hear, end: () => socket.terminate() };
}

async function plain(port) {
  const [one, other] = [await client(`${port}/r`), await client(`${port}/r`)];
  one.say("x");
  for (const member of [one, other]) await member.hear("x", (frame) => frame === "x");
  return [one, other];
}

async function socketIo(port) {
  const people = [];
  for (let person = 0; person < 2; person++) {
    const someone = await client(`${port}/socket.io/?EIO=4&transport=websocket`);
    await someone.hear("open", (frame) => frame.startsWith('0{"sid":'));
    someone.say("40");
    await someone.hear("connected", (frame) => frame.startsWith('40{"sid":'));
    someone.say('420["join","r"]');
    await someone.hear("joined", (frame) => frame === "430[]");
    people.push(someone);
  }
  people[0].say('421["change","an id","x"]');
  // With recovery, an event has its offset behind what it says.
  for (const someone of people) await someone.hear("event", (frame) => frame.startsWith('42["change","x"'));
  await people[0].hear("acknowledged", (frame) => frame === "431[]");
  return people;
}

// A number as lib0 writes it: seven bits a byte, the lowest first.
function number(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)];
}

// A message of y-websocket; of Hocuspocus, if the document has a name. Texts and bytes have their length before them.
function message(name, ...parts) {
  const bytes = [name ?? [], parts].flat().flatMap((part) => {
    if (typeof part === "number") return number(part);
    const block = Buffer.from(part);
    return [...number(block.length), ...block];
  });
  return Buffer.from(bytes);
}

const hex = (bytes) => Buffer.from(bytes).toString("hex");

async function yjs(port, path, name) {
  const [SYNC, AUTH, SYNC_STATUS] = [0, 2, 8];
  const [STEP_1, STEP_2, UPDATE] = [0, 1, 2];
  const doc = new Y.Doc();
  doc.getArray("array").push(["x"]);
  const update = Y.encodeStateAsUpdate(doc);
  const people = [];
  for (let person = 0; person < 2; person++) {
    const someone = await client(`${port}/${path}`);
    if (name !== null) {
      someone.say(message(name, AUTH, 0, ""));
      await someone.hear("authenticated", (frame) => frame === hex(message(name, AUTH, 2, "read-write")));
    }
    someone.say(message(name, SYNC, STEP_1, Uint8Array.of(0)));
    const step2 = hex(message(name, SYNC, STEP_2));
    await someone.hear("sync step 2", (frame) => frame.startsWith(step2));
    people.push(someone);
  }
  const said = message(name, SYNC, UPDATE, update);
  people[0].say(said);
  // The sender too.
  for (const someone of people) await someone.hear("update", (frame) => frame === hex(said));
  if (name !== null) await people[0].hear("status", (frame) => frame === hex(message(name, SYNC_STATUS, 1)));
  return people;
}

const SERVERS = [
  ["ws.mjs", "", plain],
  ["socketio.mjs", "memory", socketIo],
  ["socketio.mjs", "recovery", socketIo],
  ["socketio.mjs", "sqlite", socketIo],
  ["y-websocket.mjs", "", (port) => yjs(port, "r", null)],
  ["hocuspocus.mjs", "", (port) => yjs(port, "", "r")],
];

let failed = 0;
for (const [file, mode, speak] of SERVERS) {
  const title = `${file} ${mode}`.trim();
  const data = mkdtempSync(join(tmpdir(), "peers-smoke-"));
  try {
    for (const time of ["it speaks", "it speaks when it is started again"]) {
      const server = await start(file, mode, data);
      try {
        for (const someone of await speak(server.port)) someone.end();
      } finally {
        await server.stop();
      }
      console.log(`ok    ${title}: ${time}`);
    }
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${title}: ${error.message}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
process.exit(failed === 0 ? 0 : 1);

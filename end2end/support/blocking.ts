import { Agent, createServer, request } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { allowErrors, NETWORK } from "./errors.ts";

/** A proxy before a server, as some offices have one: it refuses WebSockets unless told, and can change pages on the way. */
export class Blocking {
  /** What it makes of each page; nothing else, by default. */
  change?: (html: string) => string;
  /** Whether it lets WebSockets through too. */
  open = false;
  /** How many it has refused. */
  refused = 0;
  /** What it writes into `Host`, in place of what the browser does. */
  host?: string;
  /** Requests over HTTP that wait for something to be said, now and at most. */
  waiting = 0;
  mostWaiting = 0;
  /** Those of them that were answered with a `ping`, since nothing was said in time. */
  expired = 0;

  /** WebSockets that are open through it. */
  private readonly sockets = new Set<Duplex>();
  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true });

  protected constructor(private readonly to: () => number) {
    this.server = createServer((incoming, answer) => this.pass(incoming, answer));
    this.server.on("upgrade", (incoming, socket, head) => this.upgrade(incoming, socket, head));
  }

  /** Starts a proxy to the port of this machine that `to` gives. */
  static async start(to: () => number): Promise<Blocking> {
    allowErrors(NETWORK);
    const proxy = new Blocking(to);
    await proxy.listen();
    return proxy;
  }

  protected async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  /** The proxy's address, with no slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends every WebSocket that is open. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async dispose(): Promise<void> {
    this.cut();
    this.server.closeAllConnections();
    this.agent.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  protected pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path } = incoming;
    const headers = this.headers(incoming);
    if (this.change) delete headers["accept-encoding"];
    const onward = request({ host: "127.0.0.1", port: this.to(), method, path, headers, agent: this.agent });
    if (path === "/api/sync") this.watch(incoming, onward, answer);
    onward.on("response", (response) => {
      if (this.change && response.headers["content-type"]?.startsWith("text/html")) {
        const { "content-length": _length, "transfer-encoding": _encoding, ...kept } = response.headers;
        answer.writeHead(response.statusCode!, kept);
        text(response).then((html) => answer.end(this.change!(html)), () => answer.destroy());
        return;
      }
      answer.writeHead(response.statusCode!, response.rawHeaders);
      response.on("error", () => answer.destroy()).pipe(answer);
    });
    // A server that is down, or went down in the middle: so does the connection.
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    incoming.on("error", () => onward.destroy()).pipe(onward);
  }

  private headers({ headers }: IncomingMessage): IncomingHttpHeaders {
    return this.host ? { ...headers, host: this.host } : headers;
  }

  /** Counts a request that waits: it says where the client stands, and nothing else. */
  private watch(incoming: IncomingMessage, onward: ClientRequest, answer: ServerResponse): void {
    let said = "";
    let heard = "";
    incoming.on("data", (chunk: Buffer) => (said += chunk));
    incoming.once("end", () => {
      if (!said.includes('"resume"') || said.trim().includes("\n")) return;
      this.waiting += 1;
      this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
      onward.on("response", (response) => response.on("data", (chunk: Buffer) => (heard += chunk)));
      answer.once("close", () => {
        this.waiting -= 1;
        if (heard.startsWith('{"type":"ping"')) this.expired += 1;
      });
    });
  }

  protected upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (!this.open) {
      this.refused += 1;
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const { method, url: path } = incoming;
    const onward = request({ host: "127.0.0.1", port: this.to(), method, path, headers: this.headers(incoming) });
    onward.on("error", () => socket.destroy());
    onward.on("upgrade", (response, upstream, rest) => {
      const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
      for (let at = 0; at < response.rawHeaders.length; at += 2) {
        lines.push(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`);
      }
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      socket.write(rest);
      upstream.write(head);
      upstream.on("error", () => socket.destroy()).on("close", () => socket.destroy()).pipe(socket);
      socket.on("close", () => upstream.destroy()).pipe(upstream);
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    onward.end();
  }
}

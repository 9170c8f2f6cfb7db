import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** A proxy before a server, as some offices have one: it lets every request through but those that ask for a WebSocket. */
export class Blocking {
  /** Whether it lets WebSockets through too. */
  open = false;
  /** How many it has refused. */
  refused = 0;

  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(private readonly to: () => number) {
    this.server = createServer((incoming, answer) => this.pass(incoming, answer));
    this.server.on("upgrade", (incoming, socket, head) => this.upgrade(incoming, socket, head));
  }

  /** Starts a proxy to the port of this machine that `to` gives. */
  static async start(to: () => number): Promise<Blocking> {
    const proxy = new Blocking(to);
    await new Promise<void>((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The proxy's address, with no slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async dispose(): Promise<void> {
    this.server.closeAllConnections();
    this.agent.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port: this.to(), method, path, headers, agent: this.agent });
    onward.on("response", (response) => {
      answer.writeHead(response.statusCode!, response.rawHeaders);
      response.on("error", () => answer.destroy()).pipe(answer);
    });
    // A server that is down, or went down in the middle: so does the connection.
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    incoming.on("error", () => onward.destroy()).pipe(onward);
  }

  private upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (!this.open) {
      this.refused += 1;
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port: this.to(), method, path, headers });
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
    });
    onward.end();
  }
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Blocking } from "./blocking.ts";
import { allowErrors, NETWORK, NO_SCRIPT, status } from "./errors.ts";

/** What a proxy answers in the server's place. */
export interface Answer {
  status: number;
  /** The page that comes with it. */
  html?: string;
  /** Where a redirect leads. */
  location?: string;
}

/** A proxy before a server that can answer in its place: when the origin is down, as a firewall, or as a network that wants a log-in. */
export class Answering extends Blocking {
  /** What it answers to everything; nothing while the server answers. */
  private answer: Answer | undefined;

  override open = true;

  static override async start(to: () => number): Promise<Answering> {
    const proxy = new Answering(to);
    await proxy.listen();
    return proxy;
  }

  /** From here on every request gets this answer, but those for where its redirect leads. Open WebSockets end. */
  answerAll(answer: Answer): void {
    allowErrors(NETWORK, status(answer.status), NO_SCRIPT);
    this.answer = answer;
    this.cut();
  }

  /** The server answers again. */
  letThrough(): void {
    this.answer = undefined;
  }

  protected override pass(incoming: IncomingMessage, response: ServerResponse): void {
    if (!this.answer) return super.pass(incoming, response);
    const { status: code, location, html = page(String(code)) } = this.answer;
    const there = location !== undefined && incoming.url === location;
    const headers = location === undefined || there ? {} : { location };
    response.writeHead(there ? 200 : code, { "content-type": "text/html", "cache-control": "no-store", ...headers });
    response.end(incoming.method === "HEAD" ? undefined : html);
  }

  protected override upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!this.answer) return super.upgrade(incoming, socket, head);
    socket.on("error", () => socket.destroy());
    socket.end(`HTTP/1.1 ${this.answer.status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  }
}

function page(title: string): string {
  return `<!DOCTYPE html><title>${title}</title><h1>A proxy says ${title}</h1>`;
}

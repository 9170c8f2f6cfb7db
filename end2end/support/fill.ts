import { randomUUID } from "node:crypto";
import { Wire } from "./wire.ts";

/** What `fill` has put on a board. */
export interface Filled {
  /** Who did it, and goes on. */
  wire: Wire;
  /** The lists, in order. */
  lists: string[];
  /** The cards, in the order they were added: the n-th is in list n modulo the lists. */
  cards: string[];
}

/** Fills a board over the wire: cards spread over lists, titled “Card 1: …”, “Card 2: …”. */
export async function fill(url: string, key: string, count: number, titles: string[]): Promise<Filled> {
  const AT_ONCE = 64;
  const wire = new Wire(url, key);
  await wire.connect();
  const lists = titles.map((title, n) => ({ list: randomUUID(), title, position: `a${n}` }));
  for (const list of lists) await wire.offer({ kind: "add_list", archived: false, ...list });
  const cards = Array.from({ length: count }, () => randomUUID());
  for (let n = 0; n < count; n += AT_ONCE) {
    const batch = cards.slice(n, n + AT_ONCE).map((card, k) => {
      const title = `Card ${n + k + 1}: mend the ropes of boat ${n % 7}`;
      const position = `b${String(n + k).padStart(5, "0")}V`;
      return wire.offer({ kind: "add_card", card, list: lists[(n + k) % lists.length]!.list, position, title });
    });
    for (const { refused } of await Promise.all(batch)) if (refused) throw new Error(refused.message);
  }
  return { wire, lists: lists.map(({ list }) => list), cards };
}

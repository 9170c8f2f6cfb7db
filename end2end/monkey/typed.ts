import type { Seen } from "./look.ts";

/** What became of a word that was typed. */
type Fate = "typed" | "draft" | "in IndexedDB" | "kept" | "discarded";

/**
 * Follows every word that the monkey types. Each word occurs once in a run, so it can be searched for. A word must be in a field, in a draft or a
 * pending change on the device, on the board, in the log, or discarded by the person.
 */
export class Typed {
  private readonly words = new Map<string, { fate: Fate; step: number; where: string }>();
  private count = 0;

  /** A new word. */
  word(): string {
    this.count += 1;
    return `w${String(this.count).padStart(5, "0")}x`;
  }

  /** These words were typed into a field. */
  add(words: string[], step: number, where: string): void {
    for (const word of words) this.words.set(word, { fate: "typed", step, where });
  }

  /** The person discarded a text: its words, as far as they are in no change yet. */
  discard(text: string): void {
    for (const [word, entry] of this.words) {
      if (entry.fate !== "kept" && text.includes(word)) entry.fate = "discarded";
    }
  }

  /** Words found in IndexedDB are looked for again: reading all of it is too slow for each step. */
  lookAgain(): void {
    for (const entry of this.words.values()) if (entry.fate === "in IndexedDB") entry.fate = "draft";
  }

  /** The words that are nowhere. `log` has the text of all log entries, `database` that of IndexedDB if it was read. */
  lost(seen: Seen, log: () => string, database = ""): string[] {
    const lost = [];
    for (const [word, entry] of this.words) {
      if (entry.fate === "kept" || entry.fate === "discarded" || entry.fate === "in IndexedDB") continue;
      if (seen.board.includes(word) || log().includes(word)) entry.fate = "kept";
      else if (seen.stored.includes(word)) entry.fate = "draft";
      else if (database.includes(word)) entry.fate = "in IndexedDB";
      else lost.push(`${word}, typed in step ${entry.step} into ${entry.where}, seen last as ${entry.fate}${seen.fields.includes(word) ? ", in a field, and not on the device" : ""}`);
    }
    return lost;
  }

  /** How many words came to which end. */
  summary(): string {
    const fates = [...this.words.values()].map(({ fate }) => fate);
    return (["kept", "draft", "in IndexedDB", "discarded", "typed"] as const).map((fate) => `${fates.filter((other) => other === fate).length} ${fate}`).join(", ");
  }
}

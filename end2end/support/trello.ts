/** 24 hexadecimal digits, as MongoDB makes them. */
function id(n: number): string {
  return `65b3f0c1${n.toString(16).padStart(16, "0")}`;
}

function list(n: number) {
  return {
    id: id(1_000_000 + n),
    name: `List ${n + 1}`,
    closed: false,
    idBoard: id(0),
    pos: 16384 * (n + 1),
    subscribed: false,
    softLimit: null,
  };
}

function labels(n: number) {
  if (n % 4 === 0) return [{ id: id(7), idBoard: id(0), name: "Bug", color: "red" }];
  if (n % 4 === 1) return [{ id: id(8), idBoard: id(0), name: "", color: "green" }];
  return [];
}

function due(n: number): string | null {
  if (n % 5 !== 0) return null;
  const two = (part: number) => String(part).padStart(2, "0");
  return `2026-${two((n % 12) + 1)}-${two((n % 28) + 1)}T12:00:00.000Z`;
}

function card(n: number, lists: number) {
  return {
    id: id(2_000_000 + n),
    idList: id(1_000_000 + (n % lists)),
    idBoard: id(0),
    idShort: n + 1,
    name: `Card ${n + 1}`,
    desc: n % 3 === 0 ? `What there is to say about card ${n + 1}.\n\nIn two paragraphs.` : "",
    closed: n % 50 === 49,
    pos: 16384.5 * (Math.floor(n / lists) + 1),
    labels: labels(n),
    due: due(n),
    dueComplete: n % 10 === 0,
    idMembers: [],
    idChecklists: n % 10 === 0 ? [id(3_000_000 + n)] : [],
    attachments: [],
    customFieldItems: [],
    badges: { comments: 0, attachments: 0 },
    cover: { color: null },
    shortUrl: `https://trello.com/c/${String(n).padStart(8, "0")}`,
  };
}

function checklist(n: number) {
  return {
    id: id(3_000_000 + n),
    idCard: id(2_000_000 + n),
    idBoard: id(0),
    name: "Steps",
    pos: 16384,
    checkItems: [
      { id: id(4_000_000 + n), name: "second", pos: 34_000, state: "incomplete" },
      { id: id(5_000_000 + n), name: "first", pos: 17_000, state: "complete" },
    ],
  };
}

/**
 * The JSON that Trello exports of a board with `cards` cards, spread evenly over `lists` lists: "Card 1" in "List 1",
 * "Card 2" in "List 2" and so on. Every 50th card is archived, every 10th is done and has a checklist.
 * `tests/engine/trello.rs` makes the same.
 */
export function trelloBoard(lists: number, cards: number): string {
  const numbers = [...Array(cards).keys()];
  return JSON.stringify({
    id: id(0),
    name: "A big board",
    desc: "",
    closed: false,
    url: "https://trello.com/b/aB3dE6gH/a-big-board",
    prefs: { permissionLevel: "private", background: "blue" },
    labelNames: { green: "", red: "Bug" },
    actions: [],
    members: [],
    memberships: [],
    customFields: [],
    pluginData: [],
    lists: [...Array(lists).keys()].map(list),
    cards: numbers.map((n) => card(n, lists)),
    checklists: numbers.filter((n) => n % 10 === 0).map(checklist),
  });
}

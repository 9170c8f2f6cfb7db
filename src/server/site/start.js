// JS and WASM, the program's two files, are put in front of this by the server.

const turn = (ms) => new Promise((done) => setTimeout(done, ms));

// What a person does before the program is there is done once it is: the last button that was pressed, and a chosen file.
const early = new Map();
const noteClick = ({ target }) => {
  const button = target.closest("button");
  if (button) early.set("button", () => button.click());
};
const noteChange = ({ target }) => {
  if (target.type === "file") early.set("file", () => target.dispatchEvent(new Event("change", { bubbles: true })));
};
document.addEventListener("click", noteClick);
document.addEventListener("change", noteChange);

async function load(attempt) {
  const wasm = fetch(WASM);
  // If it fails, whoever waits for it below is told.
  wasm.catch(() => {});
  // A module that could not be fetched may be remembered as such: under another name it is asked for again.
  const script = await import(attempt ? `${JS}?${attempt}` : JS);
  await script.default({ module_or_path: wasm });
  return script;
}

// Once something is painted, so that what is read does not wait for what moves. A page that nobody sees is not painted.
if (!document.hidden) {
  const painted = new Promise((done) => new PerformanceObserver(done).observe({ type: "paint", buffered: true }));
  await Promise.race([painted, turn(1_000)]);
}
let script;
for (let attempt = 0; !script; attempt += 1) {
  try {
    script = await load(attempt);
  } catch (error) {
    // Browsers say so when there is no network. Anything else stays what it is.
    if (!(error instanceof TypeError)) throw error;
    await turn(2_000);
  }
}
await turn(0);
document.removeEventListener("click", noteClick);
document.removeEventListener("change", noteChange);
script.hydrate();
await turn(0);
for (const redo of early.values()) redo();

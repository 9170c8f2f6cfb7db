// JS and WASM, the program's two files, are put in front of this by the server.

const turn = (ms) => new Promise((done) => setTimeout(done, ms));

async function load() {
  const wasm = fetch(WASM);
  // A module that could not be fetched may be remembered as such, so it is fetched first: no cache lets go of it in between.
  const [script] = await Promise.all([fetch(JS).then(() => import(JS)), wasm]);
  await script.default({ module_or_path: wasm });
  return script;
}

// A page that nobody sees is not painted, and does not wait for that.
if (!document.hidden) await new Promise((painted) => requestAnimationFrame(painted)).then(() => turn(0));
let script;
while (!script) {
  try {
    script = await load();
  } catch (error) {
    // Browsers say so when there is no network. Anything else stays what it is.
    if (!(error instanceof TypeError)) throw error;
    await turn(2_000);
  }
}
await turn(0);
script.hydrate();

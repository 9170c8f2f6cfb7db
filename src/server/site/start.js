// Loads the program, hydrates the page with it, and says so when one of them fails. Plain JavaScript, so that it still works when the
// program does not. The server puts JS and WASM, the addresses of the program's script and its wasm, in front of this, and takes out the
// lines that are comments.

const root = document.documentElement;
const path = location.pathname;
const all = (selector) => document.querySelectorAll(selector);
const turn = (ms) => new Promise((done) => setTimeout(done, ms));

// The page from the service worker is empty, and mounted instead of hydrated.
const empty = "shell" in root.dataset;
const READABLE = empty ? "" : " You can read this page, but not change it.";
const WAITING = "This page's program has not arrived yet. It is asked for again until it does." + READABLE;
const NOT_LOADED = "This page's program could not be loaded." + READABLE + " Reload to try again.";
const NO_WASM = "This browser does not run WebAssembly." + READABLE + " Allow WebAssembly for this site or use another browser, then reload.";
const STOPPED = "This page stopped because of an error in it. ";
const KEPT = "Your changes are kept on this device. Reload to go on.";
const NOT_KEPT = "Your latest changes could not be kept on this device: copy what you need, then reload.";

// A notice at the foot of the window, with "Reload". It takes no focus.
const notice = document.createElement("div");
notice.className = "strip danger notice";
notice.innerHTML = '<p role="alert"></p><button class="button">Reload</button>';
notice.lastChild.onclick = () => location.reload();
const say = (text) => {
  // Outside of a modal dialog nothing can be pressed.
  const dialog = [...all("dialog:modal")].pop();
  dialog?.addEventListener("close", () => document.body.append(notice), { once: true });
  (dialog ?? document.body).append(notice);
  if (notice.firstChild.textContent !== text) notice.firstChild.textContent = text;
};

// Says that the page does nothing any more, and leaves nothing standing that says otherwise. Fields keep focus and text, for copying.
let over = false;
const stop = (text) => {
  if (over) return;
  over = true;
  for (const status of all(".pill > :not(.pill-open), .indicator, .toaster, .network-tools, .mark")) status.remove();
  for (const pill of all(".pill-open")) {
    pill.parentNode.dataset.state = "stopped";
    pill.innerHTML = '<span class="pill-words"><span class="dot"></span>Stopped</span>';
  }
  for (const field of all("input, textarea")) field.readOnly = true;
  const ignore = (event) => {
    if (!notice.contains(event.target) && !event.target.closest("a")) event.preventDefault();
  };
  for (const type of ["beforeinput", "click", "submit"]) addEventListener(type, ignore, true);
  say(text);
};

// What the script calls of the wasm instance. Replaced, none of the program's timers, listeners and tasks does anything any more: after a
// panic its state is not to be trusted.
let program = {};
const end = () => {
  for (const name in program) if (program[name].call) program[name] = () => 0;
};

let hydrating = false;
// The program calls it when it panics.
const failed = () => {
  end();
  if (!hydrating) stop(STOPPED + (document.querySelector("[data-strip=unkept]") ? NOT_KEPT : KEPT));
};
// A trap without a panic, or an exception that went through the program and left it in between.
const isOurs = (error) => /RuntimeError|wasm-function/.test(`${error?.name} ${error?.stack}`);
addEventListener("error", ({ error }) => isOurs(error) && failed());
addEventListener("unhandledrejection", ({ reason }) => isOurs(reason) && failed());

// Tries until the network is there: then a request fails with a TypeError. Anything else stays what it is.
const persist = async (load) => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load(attempt);
    } catch (error) {
      if (over || !(error instanceof TypeError)) throw error;
      say(WAITING);
      await turn(2_000);
    }
  }
};
const get = async (address) => {
  const response = await fetch(address);
  // A proxy answers for a server that is gone.
  if (response.status >= 500) throw new TypeError();
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
};
const compile = async () => {
  const response = await get(WASM);
  return /wasm/.test(response.headers.get("content-type"))
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
};
// A browser may remember that a module could not be fetched: under another name it is asked for again. Until it has run there is no
// instance of it, so no two are made. Another name also makes another instance.
const module = async (attempt) => {
  if (attempt) await get(JS);
  return import(attempt ? `${JS}#${attempt}` : JS);
};

const instantiate = async (script, compiled) => {
  const native = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...of) => {
    program = { ...(await native(...of)).exports };
    return { instance: { exports: program } };
  };
  await script.default({ module_or_path: compiled });
  WebAssembly.instantiate = native;
};

// Whether the page is what the server sent: hydration walks through it and fails, or takes the wrong element, where an extension, a proxy
// or a translation has put something in. The server states the shape in the comment at the end: src/server/site/shape.rs.
const isAsSent = () => {
  // Back or Forward before hydration: the program would draw another page than the one that is there.
  if (location.pathname !== path) return false;
  let hash = 0;
  const add = (text) => {
    for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt()) | 0;
  };
  const walk = (parent) => {
    for (const node of parent.childNodes) {
      if (node.data?.startsWith("shape:")) return node.data === `shape:${hash >>> 0}`;
      add(node.nodeType === 1 ? node.localName : node.nodeType === 3 ? "#" : "!");
      if (node.nodeType === 1) {
        // Hydration does not look into blocks of cards.
        if (!node.hasAttribute("data-block")) walk(node);
        add("/");
      }
    }
  };
  return walk(document.body);
};

// The last button that was pressed before hydration, and a file that was chosen, are replayed after it.
const early = {};
const noteClick = ({ target }) => (early.button = target.closest("button") ?? early.button);
const noteChange = ({ target }) => {
  if (target.type === "file") early.file = target;
};
// The button that is held down: no click comes of a button that goes before it is released.
let held;
const notePress = ({ type, target }) => (held = type === "pointerdown" ? target.closest("button") : undefined);
// The element itself, or in a page that was mounted anew the one with its name.
const now = (before) =>
  before?.isConnected
    ? before
    : [...all(before?.localName)].find(
        ({ type, ariaLabel, textContent }) => type === before.type && ariaLabel === before.ariaLabel && textContent === before.textContent,
      );
// The router draws the page some turns after it was mounted.
const replay = async (before, act) => {
  for (let turns = 0; before && turns < 50; turns += 1) {
    const there = now(before);
    if (there) return act(there);
    await turn(20);
  }
};
document.addEventListener("click", noteClick);
document.addEventListener("change", noteChange);
addEventListener("pointerdown", notePress);
addEventListener("pointerup", notePress);

// Empties the page and mounts it, with the data that the server sent along.
const mount = (script) => {
  const before = held;
  addEventListener("pointerup", () => replay(before, (button) => button.click()), { once: true });
  if (!empty) document.body.replaceChildren();
  root.dataset.mounted = "";
  script.mount(failed);
};

// After the first paint, so that reading does not wait for the program. A hidden page is not painted.
if (!document.hidden) {
  const painted = new Promise((done) => new PerformanceObserver(done).observe({ type: "paint", buffered: true }));
  await Promise.race([painted, turn(1_000)]);
}
const late = setTimeout(say, 15_000, WAITING);
try {
  let [script, compiled] = await Promise.all([persist(module), persist(compile)]);
  await instantiate(script, compiled);
  clearTimeout(late);
  notice.remove();
  // Turns of their own, so that a tap between them does not wait.
  await turn(0);
  document.removeEventListener("click", noteClick);
  document.removeEventListener("change", noteChange);
  if (empty || !isAsSent()) {
    mount(script);
  } else {
    try {
      hydrating = true;
      script.hydrate(failed);
      hydrating = false;
    } catch {
      // The script again, as another instance; what is left of the first does nothing.
      end();
      script = await import(`${JS}#mount`);
      await instantiate(script, compiled);
      hydrating = false;
      mount(script);
    }
  }
  await turn(0);
  replay(early.button, (button) => button.click());
  replay(early.file, (field) => {
    field.files = early.file.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
} catch (error) {
  clearTimeout(late);
  stop(globalThis.WebAssembly ? NOT_LOADED : NO_WASM);
  throw error;
}

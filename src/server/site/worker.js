// Opens the app with no network. Its version and its list of files are put in front of this by the server.
//
// Pages come from the network for as long as the server answers. If it does not, a page comes from here that brings the script,
// program and style of its own version: never one version's page with another's program. A proxy that answers in the server's place
// is not the server. What is under /api/ is none of its business.

const CACHE = `sheetbend-${VERSION}`;

// From asking for a page to giving up on the network.
const PATIENCE_MS = 4_000;

// Time limit for the browser's cache, which may never answer.
const CACHE_MS = 4_000;

// Every answer of the server has this header. `src/sync/network.rs` names it.
const isOurs = (answer) => answer.headers.has("x-sheetbend");

// What a person opens to see the log-in page of a network: whatever answers is shown. `src/ui/connection/indicator.rs` links to it.
const LOG_IN = "?log-in";

self.addEventListener("install", (event) => {
  // All or none.
  event.waitUntil(keepAll());
});

self.addEventListener("activate", (event) => {
  // Pages wait for this one to be active, whatever the cache does.
  event.waitUntil(within(CACHE_MS, forgetOthers()).then(() => self.clients.claim()));
});

// A page whose person has pressed "Reload".
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/") || search === LOG_IN) return;
  if (mode === "navigate") event.respondWith(page(event.request));
  else if (FILES.includes(pathname)) event.respondWith(file(event.request, pathname));
});

async function keepAll() {
  const cache = await caches.open(CACHE);
  const keep = async (path) => {
    const answer = await fetch(new Request(path, { cache: "no-cache" }));
    // A log-in page answers for every file.
    if (!answer.ok || !isOurs(answer)) throw new Error(`${path} did not come from the server`);
    await cache.put(path, answer);
  };
  await Promise.all(FILES.map(keep));
}

async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => name.startsWith("sheetbend-") && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

// Whether the app has a page at this path. At others, something else may be served on the same origin.
const isPage = (path) => path === "/" || path.startsWith("/b/");

async function page(request) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(request, { signal: patience.signal });
    if (isOurs(answer) || !isPage(new URL(request.url).pathname)) return answer;
  } catch {
    // No network, or none that answers.
  } finally {
    clearTimeout(timer);
  }
  return (await cached(SHELL)) ?? fetch(request);
}

async function file(request, pathname) {
  return (await cached(pathname)) ?? fetch(request);
}

// The file as it is in the cache; nothing if it is not there, or the cache does not answer.
function cached(path) {
  return within(CACHE_MS, caches.match(path, { cacheName: CACHE }));
}

// What `work` comes to, if it ends within the time limit; nothing if it fails or does not.
async function within(limit, work) {
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, limit)));
  const done = await Promise.race([work, late]).catch(() => {});
  clearTimeout(timer);
  return done;
}

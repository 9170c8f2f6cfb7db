// Opens the app with no network. Its version and its list of files are put in front of this by the server.
//
// Pages come from the network for as long as it answers. If it does not, a page comes from here that brings the script, program
// and style of its own version: never one version's page with another's program. What is under /api/ is none of its business.

const CACHE = `sheetbend-${VERSION}`;

// From asking for a page to giving up on the network.
const PATIENCE_MS = 4_000;

self.addEventListener("install", (event) => {
  // All or none.
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: "no-cache" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

// A page whose person has pressed "Reload".
self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin || pathname.startsWith("/api/")) return;
  if (mode === "navigate") event.respondWith(page(event.request));
  else if (FILES.includes(pathname)) event.respondWith(file(event.request, pathname));
});

async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => name.startsWith("sheetbend-") && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function page(request) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(request, { signal: patience.signal });
    // A proxy answers for a server that is gone.
    if (answer.status < 502 || answer.status > 504) return answer;
  } catch {
    // No network, or none that answers.
  } finally {
    clearTimeout(timer);
  }
  return (await caches.match(SHELL, { cacheName: CACHE })) ?? fetch(request);
}

async function file(request, pathname) {
  return (await caches.match(pathname, { cacheName: CACHE })) ?? fetch(request);
}

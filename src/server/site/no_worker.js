// Takes the place of a worker that is to go: it forgets what that kept of the app, and itself. What people have written is not in
// its keeping; that stays.

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const mine = (await caches.keys()).filter((name) => name.startsWith("sheetbend-"));
      await Promise.all(mine.map((name) => caches.delete(name)));
      await self.registration.unregister();
    })(),
  );
});

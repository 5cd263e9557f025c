// The page opens without a network: the newest copy is kept, and shown when the hub cannot be reached.
'use strict';
const KEPT = 'phone-1';
const base = new URL('.', self.location.href).pathname;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.method !== 'GET' || ![`${base}phone`, `${base}phone.js`].includes(path)) return;
  event.respondWith(fresh(request, path));
});

async function fresh(request, path) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    // a redirected answer may not be given to a navigation, so it is not kept either
    if (answer.ok && !answer.redirected) await kept.put(path, answer.clone());
    return answer;
  } catch (gone) {
    const found = await kept.match(path);
    if (found) return found;
    throw gone;
  }
}

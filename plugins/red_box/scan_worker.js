// The scan page opens and reads codes without a network: the newest copies are kept.
'use strict';
const KEPT = 'scan-1';
const base = new URL('.', self.location.href).pathname;
const FILES = ['scan', 'reader.js', 'scan.js'].map((name) => base + name);
const VENDOR = ['/vendor/zxing_reader.js', '/vendor/zxing_reader.wasm'];

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(KEPT).then((kept) => Promise.allSettled([...FILES, ...VENDOR].map((one) => kept.add(one)))));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method === 'GET' && [...FILES, ...VENDOR].includes(path)) event.respondWith(fresh(event.request, path));
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

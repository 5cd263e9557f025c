// What the phone page does with a script: the position, an SOS that survives a dead network, the count-down.
'use strict';
(() => {
  const main = document.querySelector('main');
  const base = main.dataset.base;
  const find = (id) => document.getElementById(id);
  const QUEUE = `hub.${base}.queue`;
  const WANTED = `hub.${base}.position`;
  const LACKING = `hub.${base}.sos`;
  const MOST_POSITIONS = 500;
  const EVERY_MS = 10_000;
  let sending = false;
  let last = null; // the newest position, for an SOS
  let watch = null;

  const queue = () => JSON.parse(localStorage.getItem(QUEUE) || '[]');
  const keep = (items) => localStorage.setItem(QUEUE, JSON.stringify(items));

  function add(item) {
    const items = queue().filter((one) => one.id !== item.id); // the same again, with its position now
    items.push(item);
    const positions = items.filter((one) => one.kind === 'position');
    const spare = new Set(positions.slice(0, Math.max(0, positions.length - MOST_POSITIONS)).map((one) => one.id));
    keep(items.filter((one) => !spare.has(one.id))); // an SOS is never the one that goes
    return send();
  }

  function say(offline) {
    const waiting = queue().length;
    find('offline').hidden = !offline;
    find('waiting').textContent = waiting ? `(${waiting})` : '';
  }

  async function send() {
    if (sending) return;
    sending = true;
    try {
      for (let items = queue(); items.length; items = queue()) {
        items.sort((a, b) => (b.kind === 'sos') - (a.kind === 'sos'));
        const part = items.slice(0, 50);
        const answer = await fetch(`${base}/phone/report`, {
          method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ items: part }),
        });
        if (answer.status === 401) { location.reload(); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        const told = await answer.json();
        const done = new Set(part.map((one) => JSON.stringify(one)));
        keep(queue().filter((one) => !done.has(JSON.stringify(one))));
        if (told.sos_at && !find('sos-on')) location.reload();
        if (told.state === 'off_duty') stop('');
      }
      say(false);
    } catch {
      say(true);
    } finally {
      sending = false;
    }
  }

  const place = (fix) => ({
    at: fix.timestamp / 1000, lat: fix.coords.latitude, lon: fix.coords.longitude, accuracy_m: fix.coords.accuracy,
    speed_mps: fix.coords.speed ?? -1, heading_deg: fix.coords.heading ?? -1,
  });
  const newId = () => `p${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;

  find('sos').addEventListener('submit', (event) => {
    event.preventDefault();
    const id = newId();
    const at = Date.now() / 1000;
    if (navigator.vibrate) navigator.vibrate([200, 100, 200]);
    if (!last) localStorage.setItem(LACKING, JSON.stringify({ id, at }));
    add({ id, kind: 'sos', ...(last || {}), at }); // at once: the position may come after it
    locate();
  });

  // The position of an SOS that went without one; it is looked for again when the page was loaded anew meanwhile.
  function locate() {
    const lacking = JSON.parse(localStorage.getItem(LACKING) || 'null');
    if (!lacking || !navigator.geolocation) return;
    if (Date.now() / 1000 - lacking.at > 600) { localStorage.removeItem(LACKING); return; }
    navigator.geolocation.getCurrentPosition((fix) => {
      localStorage.removeItem(LACKING);
      add({ id: lacking.id, kind: 'sos', ...place(fix), at: lacking.at });
    }, () => {}, { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 });
  }
  locate();

  // --- position, on duty only

  const button = find('position');
  function show(on, words) {
    button.hidden = false;
    button.setAttribute('aria-pressed', String(on));
    button.classList.toggle('on', on);
    button.firstChild.textContent = on ? 'ส่งตำแหน่ง: เปิด ' : 'ส่งตำแหน่ง: ปิด ';
    button.querySelector('small').textContent = on ? 'Position: on' : 'Position: off';
    find('position-note').hidden = !words;
    find('position-note').textContent = words;
  }
  function stop(words) {
    if (watch !== null) navigator.geolocation.clearWatch(watch);
    watch = null;
    last = null;
    localStorage.removeItem(WANTED);
    if (button) show(false, words);
  }
  function begin() {
    localStorage.setItem(WANTED, '1');
    let sent = 0;
    watch = navigator.geolocation.watchPosition((fix) => {
      last = place(fix);
      show(true, `±${Math.round(fix.coords.accuracy)} m ${new Date(fix.timestamp).toLocaleTimeString('th-TH')}`);
      if (Date.now() - sent < EVERY_MS) return;
      sent = Date.now();
      add({ id: newId(), kind: 'position', ...last });
    }, (fault) => stop(fault.code === 1
      ? 'โทรศัพท์ไม่อนุญาตให้ใช้ตำแหน่ง / the phone does not allow it' : 'หาตำแหน่งไม่ได้ / no position'),
    { enableHighAccuracy: true, maximumAge: 5_000 });
    show(true, '');
  }
  if (button && navigator.geolocation) {
    show(false, '');
    button.addEventListener('click', () => (watch === null ? begin() : stop('')));
    if (localStorage.getItem(WANTED)) begin();
  } else {
    localStorage.removeItem(WANTED); // off duty
  }

  // --- the timer, and what changes elsewhere

  const due = Number(main.dataset.due);
  let warned = false;
  if (due) {
    setInterval(() => {
      const left = Math.max(0, Math.round(due - Date.now() / 1000));
      find('left').textContent = `(เหลือ ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} นาที)`;
      if (left <= 60 && !warned && navigator.vibrate) { warned = true; navigator.vibrate([500, 200, 500, 200, 500]); }
    }, 1000);
  }
  // The page may be older than the unit: another hand changed it, or the worker gave its kept copy.
  let anew = false;
  function renew() {
    if (anew) return;
    anew = true;
    setTimeout(() => location.reload(), Math.max(0, 3000 - performance.now())); // never in a tight circle
  }
  async function look() {
    await send();
    try {
      const answer = await fetch(`${base}/phone/state`);
      if (answer.status === 401) { location.reload(); return; }
      if ((await answer.json()).version !== main.dataset.version) renew();
      say(false);
    } catch {
      say(true);
    }
  }
  addEventListener('online', look);
  addEventListener('offline', () => say(true));
  setInterval(look, 15_000);
  look();
  if (navigator.serviceWorker) navigator.serviceWorker.register(`${base}/phone_worker.js`).catch(() => {});
})();

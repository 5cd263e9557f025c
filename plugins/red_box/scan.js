// The patrol's scan page with a script: camera, position, and a queue that outlives a dead network and a closed page.
'use strict';
(() => {
  const main = document.querySelector('main');
  const base = main.dataset.base;
  const find = (id) => document.getElementById(id);
  const QUEUE = `hub.${base}.scans`;
  const AGAIN_MS = 30_000; // the same code in front of the camera is one scan
  const WORDS = {
    out_of_radius: 'ไกลจากตู้ / far from the box', no_position: 'ไม่มีตำแหน่ง / no position',
    poor_position: 'ตำแหน่งไม่แม่นยำ / position not sure', outside_window: 'นอกช่วงเวลา / outside the hours',
    clock_off: 'นาฬิกาเครื่องไม่ตรง / the clock is off', too_fast: 'เร็วเกินไปจากจุดก่อน / too fast from the last box',
    old_challenge: 'รหัส QR เก่า / an old QR code', unknown_officer: 'ไม่ทราบผู้ตรวจ / officer not known',
  };
  let sending = false;
  let reading = null; // the camera's stream
  let lastCode = '';
  let lastAt = 0;

  const queue = () => JSON.parse(localStorage.getItem(QUEUE) || '[]');
  // What still looks for its position waits a little, and not for ever: a closed page leaves it so.
  const ready = () => queue().filter((one) => !one.looking || Date.now() / 1000 - one.at > 12);
  const keep = (items) => localStorage.setItem(QUEUE, JSON.stringify(items));

  function tell(kind, ...lines) {
    const box = document.createElement('p');
    box.className = kind;
    lines.forEach((line, n) => box.append(...(n ? [document.createElement('br')] : []), line));
    find('told').prepend(box);
    while (find('told').children.length > 4) find('told').lastChild.remove();
  }
  function say(offline) {
    const waiting = queue().length;
    find('offline').hidden = !offline && !waiting;
    find('waiting').textContent = waiting ? `(${waiting})` : '';
  }

  function answer(item, told) {
    const when = new Date(item.at * 1000).toLocaleTimeString('th-TH');
    if (told.result === 'new') {
      tell('ok', `บันทึกแล้ว ${told.name} ${when}`, `Recorded: ${told.en}`, ...told.doubts.map((one) => `⚠ ${WORDS[one] || one}`));
    } else if (told.result === 'unknown_box') {
      tell('bad', `ไม่มีตู้ที่ใช้รหัสนี้: ${item.code.slice(-24)}`, 'No box has this code');
    } else if (told.result === 'wrong') {
      tell('bad', told.reason);
    }
  }

  async function send() {
    if (sending) return;
    sending = true;
    let offline = false;
    try {
      for (let items = ready(); items.length; items = ready()) {
        const part = items.slice(0, 50);
        const got = await fetch(`${base}/scan/sync`, {
          method: 'POST', headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ sent_at: Date.now() / 1000, items: part }),
        });
        if (got.status === 401) { location.href = `${base}/scan`; return; }
        if (!got.ok) throw new Error(String(got.status));
        const told = new Map((await got.json()).items.map((one) => [one.id, one]));
        const settled = part.filter((one) => told.has(one.id) && told.get(one.id).result !== 'later');
        settled.forEach((one) => answer(one, told.get(one.id)));
        const done = new Set(settled.map((one) => one.id));
        keep(queue().filter((one) => !done.has(one.id)));
        if (done.size < part.length) break; // the hub is busy: the rest goes with the next turn
      }
    } catch {
      offline = true;
    } finally {
      sending = false;
      say(offline);
    }
  }

  const position = () => new Promise((done) => {
    if (!navigator.geolocation) { done({}); return; }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => done({ lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy }),
      () => done({}), { enableHighAccuracy: true, timeout: 8_000, maximumAge: 15_000 });
  });
  const newId = () => (crypto.randomUUID ? crypto.randomUUID()
    : `s${Date.now().toString(36)}${Math.random().toString(36).slice(2, 12)}`);

  async function record(code) {
    const item = { id: newId(), code, at: Date.now() / 1000, looking: true };
    if (navigator.vibrate) navigator.vibrate(150);
    tell('note', 'อ่านรหัสแล้ว กำลังหาตำแหน่ง… / read, looking for the position…');
    const noted = find('told').firstChild;
    keep([...queue(), item]); // at once: a page that is closed now has lost nothing
    say(false);
    const where = await position();
    keep(queue().map((one) => (one.id === item.id ? { ...one, ...where, looking: false } : one)));
    noted.remove();
    await send();
    if (queue().some((one) => one.id === item.id)) tell('note', 'เก็บไว้ในเครื่องแล้ว จะส่งเมื่อมีสัญญาณ / kept, sent when there is a network');
  }

  // --- the camera

  function stop() {
    if (reading) reading.getTracks().forEach((track) => track.stop());
    reading = null;
    find('camera').hidden = true;
    find('scan').hidden = false;
  }
  async function begin() {
    find('scan').hidden = true;
    find('camera').hidden = false;
    find('camera-note').textContent = 'หันกล้องไปที่ QR / hold the camera to the code';
    try {
      reading = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
      const video = find('video');
      video.srcObject = reading;
      await video.play();
      const read = await qrReader();
      while (reading) {
        const code = await read(video).catch(() => null);
        if (code && (code !== lastCode || Date.now() - lastAt > AGAIN_MS)) {
          [lastCode, lastAt] = [code, Date.now()];
          stop();
          await record(code);
          return;
        }
        await new Promise((turn) => setTimeout(turn, 200));
      }
    } catch (fault) {
      stop();
      tell('bad', 'เปิดกล้องไม่ได้ พิมพ์รหัสใต้ QR แทน', `No camera: type the code instead (${fault.name})`);
    }
  }
  if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia) find('scan').hidden = false;
  find('scan').addEventListener('click', begin);
  find('stop').addEventListener('click', stop);

  find('typed').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = event.target.elements.code;
    record(field.value);
    field.value = '';
  });

  addEventListener('online', send);
  addEventListener('offline', () => say(true));
  setInterval(send, 15_000);
  send();
  if (navigator.serviceWorker) navigator.serviceWorker.register(`${base}/scan_worker.js`).catch(() => {});
})();

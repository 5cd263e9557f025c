// The sticker's page: position with a report, and the video call. Written for old phones: ES5, no library.
(function () {
  'use strict';

  var BEAT_MS = 3000, QUIET_MS = 10000, AGAIN_MS = 1000, GIVE_UP_MS = 60000;
  var body = document.body, lang = body.getAttribute('data-lang'), token = body.getAttribute('data-call');
  var base = location.pathname.replace(/p\/[^\/]*\/?$/, '');
  var W = null, socket = null, peer = null, stream = null, ice = null, turn = 0, early = [], described = false;
  var call = null, key = null, receipt = null, over = false, opened = false, heardAt = 0, lostAt = 0, beat = null;
  var facing = 'environment', stage = null, far = null, near = null, say = null, keys = null;

  function id(name) { return document.getElementById(name); }

  // --- position with a report

  var here = id('here');
  if (navigator.geolocation && window.isSecureContext !== false) {
    id('herebox').hidden = false;
    here.onchange = function () {
      if (!here.checked) { id('lat').value = id('lon').value = ''; return; }
      navigator.geolocation.getCurrentPosition(function (at) {
        id('lat').value = at.coords.latitude;
        id('lon').value = at.coords.longitude;
      }, function () { here.checked = false; }, { enableHighAccuracy: true, timeout: 20000, maximumAge: 10000 });
    };
  }

  // --- the call

  var media = navigator.mediaDevices;
  var able = window.RTCPeerConnection && window.WebSocket && media && media.getUserMedia && window.Promise;
  if (able) {
    id('video').hidden = false;
    id('video').onclick = begin;
    if (kept('call')) begin();
  } else if (window.isSecureContext === false && window.RTCPeerConnection) {
    words(function () { note(W.nohttps); });
  }

  function kept(name) {
    try { return sessionStorage.getItem(token + name); } catch (none) { return null; }
  }

  function keep(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(token + name); else sessionStorage.setItem(token + name, value);
    } catch (none) { /* the call then ends with the page */ }
  }

  function words(then) {
    if (window.WORDS) { W = window.WORDS; then(); return; }
    var script = document.createElement('script');
    script.src = base + body.getAttribute('data-words');
    script.onload = function () { W = window.WORDS; then(); };
    document.head.appendChild(script);
  }

  function note(text) {
    id('note').hidden = !text;
    id('note').textContent = text;
  }

  function begin() {
    if (stage) return;
    over = false;
    call = kept('call');
    key = kept('key');
    receipt = kept('receipt');
    words(function () {
      build();
      tell(W.asking);
      camera().then(function () { connect(); }, function () {
        leave();
        note(W.nocamera);
      });
    });
  }

  function camera() {
    var video = { facingMode: facing, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 20 } };
    return media.getUserMedia({ audio: true, video: video }).then(null, function () {
      return media.getUserMedia({ audio: true, video: false });
    }).then(function (got) {
      stream = got;
      near.srcObject = got;
    });
  }

  function element(name, attributes, parent, text) {
    var made = document.createElement(name), key;
    for (key in attributes) made.setAttribute(key, attributes[key]);
    if (text) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function button(name, text, press) {
    var made = element('button', { type: 'button', id: name }, keys, text);
    made.onclick = press;
    return made;
  }

  function build() {
    note('');
    stage = element('div', { id: 'stage' }, body);
    far = element('video', { id: 'far', autoplay: '', playsinline: '' }, stage);
    near = element('video', { id: 'near', autoplay: '', playsinline: '', muted: '' }, stage);
    near.muted = true;
    say = element('div', { id: 'say', role: 'status', 'aria-live': 'polite' }, stage);
    keys = element('div', { id: 'keys' }, stage);
    button('mute', W.mute, mute);
    button('turn', W.turn, turnCamera);
    button('hangup', W.hangup, hangUp).className = 'dial';
    var dial = document.querySelector('a.dial'); // nobody may wait for us who can call
    element('a', { id: 'dial', href: dial.href }, keys, dial.querySelector('b').textContent);
  }

  function tell(text) { if (say) say.textContent = text; }

  function mute() {
    var track = stream && stream.getAudioTracks()[0];
    if (!track) return;
    track.enabled = !track.enabled;
    id('mute').textContent = track.enabled ? W.mute : W.unmute;
  }

  function turnCamera() {
    var old = stream && stream.getVideoTracks()[0], sender;
    if (!old) return;
    facing = facing === 'environment' ? 'user' : 'environment';
    old.stop(); // many phones open one camera at a time
    media.getUserMedia({ video: { facingMode: facing } }).then(function (got) {
      var track = got.getVideoTracks()[0];
      stream.removeTrack(old);
      stream.addTrack(track);
      sender = peer && peer.getSenders && peer.getSenders().filter(function (one) {
        return one.track && one.track.kind === 'video';
      })[0];
      if (sender) sender.replaceTrack(track);
    }, function () { tell(W.nocamera); });
  }

  function send(message) {
    if (socket && socket.readyState === 1) socket.send(JSON.stringify(message));
  }

  function connect() {
    if (over) return;
    var made = socket = new WebSocket(location.origin.replace(/^http/, 'ws') + base + 'call?token=' + token);
    heardAt = Date.now();
    made.onopen = function () {
      send(key ? { t: 'resume', call: call, key: key } : { t: 'ring', lang: lang });
    };
    made.onmessage = function (event) {
      heardAt = Date.now();
      lostAt = 0;
      heard(JSON.parse(event.data));
    };
    made.onclose = function (event) {
      if (made !== socket || over) return;
      if (!opened && !key || event.code === 1008 && /over|no longer/.test(event.reason)) return finish(W.failed);
      lost();
    };
    clearInterval(beat);
    beat = setInterval(function () {
      send({ t: 'here' });
      if (Date.now() - heardAt > QUIET_MS && socket) {
        var gone = socket;
        socket = null;
        gone.close();
        lost();
      }
    }, BEAT_MS);
  }

  function lost() {
    clearInterval(beat);
    lostAt = lostAt || Date.now();
    if (Date.now() - lostAt > GIVE_UP_MS) return finish(W.failed);
    tell(W.lost);
    setTimeout(connect, AGAIN_MS);
  }

  function heard(message) {
    switch (message.t) {
      case 'ringing':
        opened = true;
        call = message.call;
        receipt = message.receipt;
        ice = message.ice;
        if (message.key) key = message.key;
        keep('call', call);
        keep('key', key);
        keep('receipt', receipt);
        tell(W.ringing);
        break;
      case 'waiting':
        tell(W.ringing + ' ' + (message.ahead ? W.ahead.replace('{n}', message.ahead) : W.next));
        break;
      case 'answered': tell(W.answered); break;
      case 'transferred': drop(); tell(W.transferred); break;
      case 'held': tell(W.held); break;
      case 'go': offer(message.n); break;
      case 'answer':
        if (peer && message.n === turn) {
          peer.setRemoteDescription(message.sdp).then(function () {
            described = true;
            early.forEach(candidate);
            early = [];
          });
        }
        break;
      case 'ice':
        if (peer && message.n === turn) { if (described) candidate(message.c); else early.push(message.c); }
        break;
      case 'locate': locate(); break;
      case 'ended': finish(W.ended); break;
    }
  }

  function candidate(one) {
    if (one) peer.addIceCandidate(one).then(null, function () { /* one way fewer; others remain */ });
  }

  function offer(n) {
    drop();
    turn = n;
    described = false;
    early = [];
    var made = peer = new RTCPeerConnection(ice);
    stream.getTracks().forEach(function (track) { made.addTrack(track, stream); });
    if (!stream.getVideoTracks().length && made.addTransceiver) made.addTransceiver('video', { direction: 'recvonly' });
    made.ontrack = function (event) { if (event.streams[0]) far.srcObject = event.streams[0]; };
    made.onicecandidate = function (event) { if (event.candidate) send({ t: 'ice', n: n, c: event.candidate }); };
    made.oniceconnectionstatechange = function () {
      var state = made.iceConnectionState;
      if (made !== peer) return;
      if (state === 'connected' || state === 'completed') tell(stream.getVideoTracks().length ? W.talking : W.silent);
      if (state === 'failed' || state === 'disconnected') tell(W.lost);
    };
    made.createOffer().then(function (description) {
      return made.setLocalDescription(description);
    }).then(function () {
      send({ t: 'offer', n: n, sdp: made.localDescription });
    });
  }

  function locate() {
    tell(W.locate);
    navigator.geolocation.getCurrentPosition(function (at) {
      var c = at.coords;
      send({ t: 'position', lat: c.latitude, lon: c.longitude, accuracy: c.accuracy });
      tell(W.located);
    }, function () { tell(W.talking); }, { enableHighAccuracy: true, timeout: 20000, maximumAge: 10000 });
  }

  function drop() {
    if (peer) peer.close();
    peer = null;
  }

  function hangUp() {
    send({ t: 'bye' });
    finish(W.ended);
  }

  /** The call is over: what became of it stands on the status page. */
  function finish(text) {
    var where = receipt && key ? base + 'r/' + receipt + '/' + key + '?lang=' + lang : null;
    leave();
    note(text);
    if (where) element('a', { href: where, 'class': 'again' }, id('note'), ' ' + W.status + ' ' + receipt);
  }

  function leave() {
    over = true;
    clearInterval(beat);
    drop();
    if (socket) socket.close();
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    if (stage) body.removeChild(stage);
    ['call', 'key', 'receipt'].forEach(function (name) { keep(name, null); });
    socket = stage = stream = call = key = null;
    opened = false;
  }
}());

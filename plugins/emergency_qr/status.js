// The status page: it is drawn again when something is new and nobody is writing. ES5.
(function () {
  'use strict';

  var text = document.getElementById('text'), photo = document.getElementById('photo');

  function look() {
    var ask = new XMLHttpRequest();
    ask.open('GET', location.pathname + '?version');
    ask.onload = function () {
      var writing = text && text.value || photo && photo.value;
      if (ask.status === 200 && ask.responseText !== document.body.getAttribute('data-state') && !writing) {
        location.reload();
      }
    };
    ask.send();
  }

  setInterval(look, 8000);
}());


// Brings what is new into place: the same page is fetched and only what differs is changed, so that
// nothing flickers and what is open, focused or selected stays. Without it the page works as well.
(() => {
  'use strict';
  const live = document.getElementById('live');
  const about = document.getElementById('about');
  const note = document.getElementById('note');
  const pause = document.getElementById('pause');
  const address = location.origin + location.pathname + location.search;
  const longest = 60000;
  let wait = usual();
  let timer = 0;
  let paused = false;
  let busy = false;
  let failing = false;

  function usual() {
    return Number(live.dataset.refresh) * 1000;
  }

  // The exporter's clock at its last answer, in UTC, with the day where it is another one.
  function answered() {
    const [day, time] = live.querySelector('footer time').dateTime.split(/[TZ]/);
    const today = new Date().toISOString().startsWith(day);
    return (today ? '' : day + ' ') + time + ' UTC';
  }

  function say(text) {
    if (note.textContent !== text) note.textContent = text;
  }

  function plan() {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(refresh, wait);
  }

  async function refresh() {
    if (busy) return;
    busy = true;
    const limit = new AbortController();
    const alarm = setTimeout(() => limit.abort(), 15000);
    try {
      const answer = await fetch(address, {cache: 'no-store', signal: limit.signal});
      if (!answer.ok) throw new Error('HTTP ' + answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = fresh.getElementById('live');
      if (!next || !fresh.getElementById('about')) throw new Error('another page');
      if (next.dataset.version !== live.dataset.version) return location.reload();
      if (failing) {
        failing = false;
        document.body.classList.remove('failing');
        say('The exporter answers again.');
      } else if ((next.dataset.trouble || '') !== (live.dataset.trouble || '')) {
        say('Now: ' + (next.dataset.trouble || 'no trouble') + '.');
      } else {
        say('');
      }
      bring(fresh, next);
      wait = usual();
    } catch (error) {
      if (!failing) {
        failing = true;
        document.body.classList.add('failing');
        document.title = 'No answer · Rolling upgrades';
      }
      const status = /^HTTP/.test(error.message) ? ' (' + error.message + ')' : '';
      say('No answer from the exporter since ' + answered() + status + '. What is shown was known then.');
      wait = Math.min(wait * 2, longest);
    } finally {
      clearTimeout(alarm);
      busy = false;
      plan();
    }
  }

  function bring(fresh, next) {
    const focused = document.activeElement;
    const known = new Map();
    for (const element of live.querySelectorAll('[id]')) known.set(element.id, element);
    change(live, next, known);
    change(about, fresh.getElementById('about'), new Map());
    if (document.title !== fresh.title) document.title = fresh.title;
    const icon = document.querySelector('link[rel=icon]');
    const newIcon = fresh.querySelector('link[rel=icon]');
    if (icon && newIcon && icon.href !== newIcon.href) icon.href = newIcon.href;
    // What moves to another part loses its focus on the way.
    if (focused && focused !== document.activeElement && live.contains(focused)) {
      focused.focus({preventScroll: true});
    }
  }

  // Makes an element like another one. Whether details are open is for the reader to say.
  function change(old, next, known) {
    for (const {name} of [...old.attributes]) {
      if (!next.hasAttribute(name) && !readers(old, name)) old.removeAttribute(name);
    }
    for (const {name, value} of next.attributes) {
      if (old.getAttribute(name) !== value && !readers(old, name)) old.setAttribute(name, value);
    }
    let place = old.firstChild;
    for (const child of next.childNodes) {
      let same = null;
      if (child.id) same = known.get(child.id) || null;
      else if (place && !place.id && place.nodeName === child.nodeName) same = place;
      if (!same || same.nodeName !== child.nodeName) same = document.importNode(child, false);
      if (same === place) place = place.nextSibling;
      else old.insertBefore(same, place);
      if (child.nodeType === Node.ELEMENT_NODE) change(same, child, known);
      else if (same.data !== child.data) same.data = child.data;
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
  }

  function readers(element, name) {
    return name === 'open' && element.nodeName === 'DETAILS';
  }

  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Resume refresh' : 'Pause refresh';
    if (paused) plan();
    else refresh();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || paused) plan();
    else refresh();
  });
  plan();
})();

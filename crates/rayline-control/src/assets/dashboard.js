// What makes the pages live. They work without it: every view is a link, every list is there on the first load.
// It renders nothing itself: what arrives was made, and escaped, by the server.
'use strict';

// A stream costs one of the few connections that a browser has for a host, so none is held by a page in the background.
const listen = (url, handlers) => {
  let source = null;
  const open = () => {
    source = new EventSource(url);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(event, source));
    }
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close(); else if (!source) open();
  });
  window.addEventListener('pagehide', close);
  window.addEventListener('pageshow', (event) => { if (event.persisted && !source) open(); });
  if (!document.hidden) open();
  return { toggle: () => { if (source) close(); else open(); return source !== null; } };
};

// Fetches the page anew and takes over its parts that have changed, except what somebody is using. Where there are other
// parts than before, such as after the first request of all, it takes over the page.
const parts = (page) => [...page.querySelectorAll('[data-swap]')].map((part) => part.id).join(' ');
const isUsed = (part) => part.contains(document.activeElement) || part.matches(':hover') || part.querySelector('details[open]');
const refresh = async () => {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (parts(fresh) !== parts(document)) {
    const main = document.querySelector('main');
    const busy = main.contains(document.activeElement) && document.activeElement !== main;
    if (!busy) main.replaceWith(document.adoptNode(fresh.querySelector('main')));
    return;
  }
  for (const part of document.querySelectorAll('[data-swap]')) {
    const other = fresh.getElementById(part.id);
    if (other && !isUsed(part) && other.innerHTML !== part.innerHTML) part.replaceWith(document.adoptNode(other));
  }
};

// On a phone the navigation is a strip that scrolls: the page that is shown stands in view.
document.querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

const live = document.querySelector('main[data-live]');
if (live) {
  let busy = false;
  listen(live.dataset.live, {
    pulse: async () => {
      if (busy) return;
      busy = true;
      await refresh();
      busy = false;
    },
  });
}

// Lines that come one by one: the tail puts the newest first, a diagnosis last.
for (const list of document.querySelectorAll('[data-stream]')) {
  const limit = Number(list.dataset.limit) || 200;
  const state = document.getElementById(list.dataset.state);
  const say = (text) => { if (state && state.textContent !== text) state.textContent = text; };
  const add = (event) => {
    const template = document.createElement('template');
    template.innerHTML = event.data;
    if (list.dataset.order === 'last') {
      list.append(template.content);
    } else {
      list.prepend(template.content);
      while (list.children.length > limit) list.lastElementChild.remove();
    }
    document.getElementById(list.dataset.empty)?.remove();
  };
  const stream = listen(list.dataset.stream, {
    open: () => say('live'),
    error: (_, source) => say(source.readyState === EventSource.CLOSED ? 'ended: load the page again' : 'connection lost, trying again'),
    line: add,
    done: (_, source) => { source.close(); location.reload(); },
  });
  const pause = document.getElementById(list.dataset.pause);
  if (pause) {
    pause.hidden = false;
    pause.addEventListener('click', () => {
      const running = stream.toggle();
      pause.textContent = running ? 'Pause' : 'Go on';
      say(running ? 'live' : 'paused');
    });
  }
}

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = 'Copied';
  });
}

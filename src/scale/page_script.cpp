// SPDX-License-Identifier: Apache-2.0
#include "scale/page.h"

namespace fovea::checkout {

std::string_view page_script() {
  return R"js(
'use strict';
const $ = id => document.getElementById(id);
let now = {state: 'wait', answers: [], id: 0}, classes = [], chosen = null, at = -1;
const shown = label => label.replace(/[-_]+/g, ' ');
const percent = p => p > 0.99 ? 'over 99 %' : p < 0.01 ? 'under 1 %' : Math.round(100 * p) + ' %';
const grams = g => Math.abs(g) >= 1000 ? (g / 1000).toFixed(3) + ' kg' : Math.round(g) + ' g';
const titles = {wait: 'One moment', 'no picture': 'No picture', nothing: 'Put something on the scale', changing: 'One moment',
                unsure: 'Which one is it?', unknown: 'I do not know this one'};
const hints = {nothing: '', changing: 'Something is moving', 'no picture': 'The camera gives none; it is tried again',
               sure: 'If it is something else, say what', unsure: 'Choose, so that it is known next time',
               unknown: 'Say what it is, so that it is known next time'};

function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

function draw() {
  document.body.dataset.state = now.state;
  const done = chosen && chosen.id === now.id;
  $('title').textContent = done ? shown(chosen.label) : now.state === 'sure' ? shown(now.answers[0].label) : titles[now.state];
  $('hint').classList.remove('bad');
  $('hint').textContent = done ? 'Thank you' : hints[now.state] || '';
  $('answers').replaceChildren(...now.answers.map((answer, i) => {
    const taken = done && chosen.label === answer.label;
    const button = make('button', 'answer' + (i === 0 && now.state === 'sure' ? ' first' : '') + (taken ? ' taken' : ''));
    button.type = 'button';
    button.append(make('kbd', '', String(i + 1)), make('b', '', shown(answer.label)), make('i', '', percent(answer.probability)));
    const bar = make('u');
    bar.style.width = 100 * answer.probability + '%';
    button.append(bar);
    button.onclick = () => choose(answer.label);
    return button;
  }));
  drawWeight();
}

function drawWeight() {
  const w = now.scale;
  $('weight').hidden = !w;
  if (!w) return;
  $('weight').textContent = grams(w.weight_g);
  $('weight').classList.toggle('stable', w.stable);
}

function openSearch(open, type = true) {
  if (open === !$('search').hidden) return;
  $('search').hidden = !open;
  document.body.toggleAttribute('data-search', open);
  if (open) {
    $('query').value = '';
    at = -1;
    filter();
    if (type) $('query').focus();
  }
}

function filter() {
  const words = $('query').value.trim();
  const plain = text => shown(text).toLowerCase();
  const fits = classes.filter(label => plain(label).includes(plain(words)));
  const buttons = fits.map(label => {
    const button = make('button', '', shown(label));
    button.type = 'button';
    button.onclick = () => choose(label);
    return button;
  });
  if (words && !classes.some(label => plain(label) === plain(words))) {
    const button = make('button', 'new', 'New: ' + words);
    button.type = 'button';
    button.onclick = () => choose(words);
    buttons.push(button);
  }
  $('found').replaceChildren(...buttons);
  mark(words && buttons.length ? 0 : -1);
}

function mark(place) {
  const all = [...$('found').children];
  at = all.length ? Math.max(-1, Math.min(place, all.length - 1)) : -1;
  all.forEach((button, i) => button.classList.toggle('at', i === at));
  if (at >= 0) all[at].scrollIntoView({block: 'nearest'});
}

async function send(path, body) {
  try {
    const reply = await fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});
    if (reply.ok) return true;
    $('hint').textContent = (await reply.json()).error;
  } catch (error) {
    $('hint').textContent = 'The scale does not answer';
  }
  $('hint').classList.add('bad');
  return false;
}

async function choose(label) {
  if (!now.id) return;
  const id = now.id;
  if (await send('/choose', {id, label})) {
    chosen = {id, label};
    openSearch(false);
    draw();
  }
}

function listen() {
  const events = new EventSource('/events');
  events.onmessage = event => {
    const state = JSON.parse(event.data);
    const same = JSON.stringify([state.state, state.answers, state.id]) === JSON.stringify([now.state, now.answers, now.id]);
    if ((state.id || 0) !== (now.id || 0)) openSearch(false);
    now = state;
    $('status').textContent = state.corrections ? state.corrections + (state.corrections === 1 ? ' new photo' : ' new photos') + ' for the next training' : 'Ready';
    if (same) drawWeight(); else draw();
    if (!same && now.state === 'unknown' && !matchMedia('(max-width:820px)').matches) openSearch(true, false);
  };
  events.onopen = async () => {
    classes = await (await fetch('/classes')).json();
    filter();
  };
  events.onerror = () => {
    $('status').textContent = 'Connection lost; trying again';
    if (events.readyState === 2) setTimeout(listen, 2000);
  };
}

async function look() {
  let version = 0, url = null;
  for (;;) {
    const next = new Promise(resolve => setTimeout(resolve, 80));
    try {
      const reply = await fetch('/picture.jpg?after=' + version);
      if (reply.status === 200) {
        version = Number(reply.headers.get('X-Version'));
        const old = url;
        url = URL.createObjectURL(await reply.blob());
        $('picture').src = url;
        if (old) URL.revokeObjectURL(old);
      } else if (!reply.ok) {
        throw new Error(reply.status);
      }
    } catch (error) {
      version = 0;
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
    await next;
  }
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const searching = !$('search').hidden, typing = document.activeElement === $('query');
  if (searching && event.key === 'Escape') return openSearch(false);
  if (searching && event.key.startsWith('Arrow')) {
    const wide = Math.max(1, Math.round($('found').clientWidth / (($('found').firstChild || $('found')).clientWidth + 8)));
    const step = {ArrowDown: at < 0 ? 1 : wide, ArrowUp: -wide, ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (typing && event.key !== 'ArrowDown' && event.key !== 'ArrowUp' && at < 0) return;
    mark(at + step);
    return event.preventDefault();
  }
  if (typing) {
    if (event.key === 'Enter' && at >= 0) $('found').children[at].click();
    return;
  }
  if ('123'.includes(event.key) && now.answers[event.key - 1]) choose(now.answers[event.key - 1].label);
  if (event.key === '0' && now.id) {
    openSearch(true);
    $('query').focus();
    event.preventDefault();
  }
  if (event.key.startsWith('Arrow') && now.answers.length) {
    const all = [...$('answers').children, $('other')], place = all.indexOf(document.activeElement);
    const step = event.key === 'ArrowDown' || event.key === 'ArrowRight' ? 1 : -1;
    all[(place + step + all.length) % all.length].focus();
    event.preventDefault();
  }
});
$('query').oninput = filter;
$('other').onclick = () => openSearch(true);
$('empty').onclick = () => send('/empty', {});
draw();
listen();
look();
)js";
}

}  // namespace fovea::checkout

import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import AlarmRow from '../src/components/AlarmRow.svelte';
import CameraStrip from '../src/components/CameraStrip.svelte';
import Confirmations from '../src/components/Confirmations.svelte';
import HitReview from '../src/components/HitReview.svelte';
import IncidentList from '../src/components/IncidentList.svelte';
import IncidentView from '../src/components/IncidentView.svelte';
import Timeline from '../src/components/Timeline.svelte';
import UnitsList from '../src/components/UnitsList.svelte';
import ActionForm from '../src/components/ActionForm.svelte';
import SosBar from '../src/components/duty/SosBar.svelte';
import StatusStrip from '../src/components/duty/StatusStrip.svelte';
import InboxPanel from '../src/components/inbox/InboxPanel.svelte';
import Problem from '../src/components/Problem.svelte';
import SettingsTable from '../src/components/SettingsTable.svelte';
import ActionsView from '../src/components/views/ActionsView.svelte';
import EventList from '../src/components/views/EventList.svelte';
import LinkView from '../src/components/views/LinkView.svelte';
import PictureView from '../src/components/views/PictureView.svelte';
import TableView from '../src/components/views/TableView.svelte';
import Inbox from '../src/pages/Inbox.svelte';
import Views from '../src/pages/Views.svelte';
import { rowsOf } from '../src/lib/alarms';
import { ApiError, type View } from '../src/lib/api';
import { app } from '../src/lib/app.svelte';
import { live } from '../src/lib/live.svelte';
import { prefs } from '../src/lib/prefs.svelte';
import { clean, MAX_SHOWN } from '../src/lib/text';
import { event, HOSTILE, state } from './helpers';

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]/;
const EMPTY = { type: 'object' };

let shown: Record<string, unknown> | null = null;

function show<P extends Record<string, unknown>>(component: Component<P>, props: P): HTMLElement {
  const target = document.body.appendChild(document.createElement('div'));
  shown = mount(component, { target, props });
  flushSync();
  return target;
}

function fill(evil: string): void {
  const given = { name: { th: evil, en: evil }, title: evil, place: evil, detail: evil, reason: evil, reference: evil, task: evil, owner: evil };
  const more = { plate: evil, read_plate: evil, province: evil, actor: evil, action: evil, right: 'drone.dispatch', available: false, video: evil, video_reason: evil };
  const attributes = { ...given, ...more, priority: evil, match: evil, by: evil, owner_officer: evil, opened_by: evil };
  const messages = [{ at: 1, by: evil, text: evil, media: [evil] }, { at: 2, by: 'reporter', text: evil, media: [] }];
  Object.assign(attributes, { receipt: evil, channel: evil, text: evil, reporter: evil, messages, merge_reason: evil, officers: [{ name: evil, title: evil }, evil], differs: [evil, 7, null], alternatives: [evil, { x: evil }], silent: true, sos_at: 1, sos_kind: evil, capabilities: ['unit'], list: [evil, evil], phrase: { th: evil, en: evil } });
  const states = ['alarm', 'incident', 'hit', 'unit', 'drone', 'camera', 'report', 'plugin'].map((domain) => state(`${domain}.x`, evil, attributes));
  const confirmation = state('confirmation.x', 'pending', { ...attributes, title: { th: evil, en: evil }, params: { [evil.slice(0, 40)]: evil, altitude_m: 40 }, expires_at: 99, target: 'drone.x' });
  live.store.reset({ type: 'state', seq: 1, states: [...states, confirmation, state('shift.current', evil, attributes)], now: 0 });
}

/** Nothing of what strangers wrote became an element, hides its direction, or takes the whole screen. */
function expectHarmless(target: HTMLElement): void {
  expect(target.querySelectorAll('img[src="x"], script')).toHaveLength(0);
  for (const image of target.querySelectorAll('img')) expect(image.getAttribute('src')).toMatch(/^\/api\/media\//);
  for (const element of target.querySelectorAll('[class]')) expect(element.getAttribute('class')).toMatch(/^[\w\s-]*$/);
  const walker = document.createTreeWalker(target, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent ?? '';
    expect(text).not.toMatch(HIDDEN);
    expect([...text].length).toBeLessThanOrEqual(4_001);
    expect(text).not.toMatch(/\p{M}{6}/u);
  }
  for (const element of target.querySelectorAll('[title], [aria-label]')) {
    expect(element.getAttribute('title') ?? '').not.toMatch(HIDDEN);
    expect((element.getAttribute('title') ?? '').length).toBeLessThanOrEqual(1_000);
  }
}

const table: View = {
  id: 't', kind: 'table', title: { th: 'x', en: 'x' }, domain: 'unit', event_type: null, action: null, right: 'state.read', plugin: 'p', instance: 'p',
  columns: [{ field: 'reason', title: { th: HOSTILE.markup, en: HOSTILE.markup }, format: 'text' }, { field: 'task', title: { th: 'x', en: 'x' }, format: 'entity' }, { field: 'list', title: { th: 'x', en: 'x' }, format: 'list' }, { field: 'phrase', title: { th: 'x', en: 'x' }, format: 'words' }],
};

/** What a plugin of bad will may declare: its words come from its own files. */
function declared(kind: View['kind'], more: Partial<View> = {}): View {
  const words = { th: evilNow, en: evilNow };
  return { ...table, kind, title: words, empty: words, plugin_title: words, path: 'x', ...more };
}

let evilNow = '';

const CARDS: [string, () => HTMLElement][] = [
  ['an alarm', () => show(AlarmRow, { row: rowsOf(live.list('alarm'))[0]!, selected: false, onopen: () => {}, onack: () => {}, onshelve: () => {} })],
  ['the list of incidents', () => show(IncidentList, {})],
  ['an incident', () => show(IncidentView, { incident: live.list('incident')[0]! })],
  ['a hit', () => show(HitReview, { hit: live.list('hit')[0]! })],
  ['a confirmation', () => show(Confirmations, {})],
  ['units and drones', () => show(UnitsList, {})],
  ['cameras', () => show(CameraStrip, {})],
  ['a table', () => show(TableView, { view: table })],
  ['buttons', () => show(ActionsView, { view: declared('actions') })],
  ['pictures', () => show(PictureView, { view: declared('picture') })],
  ['a link', () => show(LinkView, { view: declared('link') })],
  ['the pages', () => { app.views = [declared('table'), declared('form', { action: 'x.y', id: 'f' })]; return show(Views, { parts: ['p'] }); }],
  ['events', () => show(EventList, { events: [event(1, evilNow, 'unit.x', { text: evilNow, by: evilNow })], columns: [] })],
  ['the inbox', () => show(Inbox, { parts: [] })],
  ['a report', () => show(Inbox, { parts: ['report.x'] })],
  ['the inbox panel', () => show(InboxPanel, {})],
  ['a call for help', () => show(SosBar, {})],
  ['duty and silence', () => show(StatusStrip, {})],
  ['a refusal', () => show(Problem, { fault: new ApiError(400, { code: evilNow, message: evilNow, where: evilNow, hint: evilNow }) })],
  ['settings', () => show(SettingsTable, { schema: { properties: { [evilNow.slice(0, 80)]: { type: 'string', description: evilNow, default: evilNow, enum: [evilNow] } } } })],
  ['a form', () => show(ActionForm, { spec: { name: 'a.b', title: { th: evilNow, en: evilNow }, right: 'x', capability: null, idempotent: true, dangerous: false, timeout: 1, params: { properties: { unit: { type: 'string' }, kind: { enum: [evilNow], title: evilNow, description: evilNow }, people: { type: 'array', items: { type: 'object', properties: { name: { type: 'string', title: evilNow } } }, title: evilNow, default: [{ name: evilNow }] } } } } })],
  ['a timeline', () => show(Timeline, { timeline: [event(1, HOSTILE.markup, 'x', { text: live.list('unit')[0]!.attributes['reason'], by: 'x' })] })],
];

beforeEach(() => {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ timeline: [] }), { status: 200 }));
  app.session = { user: 'a', roles: [], rights: ['*'], csrf: 'x', expires: 0, purpose: null };
  app.actions = ['alarm.acknowledge', 'hit.confirm', 'incident.acknowledge', 'incident.note'].map((name) => ({
    name, title: { th: name, en: name }, right: 'x.y', capability: name.split('.')[0]!, idempotent: true, dangerous: false, timeout: 1, params: EMPTY,
  }));
});

afterEach(async () => {
  if (shown) await unmount(shown);
  shown = null;
  document.body.replaceChildren();
  live.store.clear();
  vi.unstubAllGlobals();
});

describe.each(['th', 'en'] as const)('hostile names in %s', (lang) => {
  describe.each(Object.entries(HOSTILE))('%s', (_, evil) => {
    it.each(CARDS)('on %s', (_name, card) => {
      prefs.lang = lang;
      evilNow = evil;
      fill(evil);
      expectHarmless(card());
    });
  });
});

describe('clean', () => {
  it('keeps markup as letters', () => {
    expect(clean(HOSTILE.markup)).toBe(HOSTILE.markup);
  });

  it('cuts between letters, never inside one', () => {
    expect(clean(HOSTILE.long)).toBe(`${'ก'.repeat(MAX_SHOWN)}…`);
    expect(clean('กี้'.repeat(300), 3)).toBe('กี้กี้กี้…');
    expect(clean('👮🏽‍♀️'.repeat(9), 2).replaceAll('\u200d', '').endsWith('…')).toBe(true);
  });

  it('takes out direction marks and control characters', () => {
    expect(clean(HOSTILE.backwards)).toBe('safegnp.exe');
    expect(clean(HOSTILE.control)).toBe('ab[31mc');
  });

  it('keeps Thai marks and cuts piles of them', () => {
    expect(clean('ผู้ต้องสงสัย ป้าย กี้')).toBe('ผู้ต้องสงสัย ป้าย กี้');
    expect(clean(HOSTILE.pile)).toBe(`ก${'\u0E49'.repeat(4)}Z${'\u0301'.repeat(4)}`);
  });

  it('shows what is no text', () => {
    expect(clean(null)).toBe('');
    expect(clean(undefined)).toBe('');
    expect(clean(5)).toBe('5');
    expect(clean({ a: [1] })).toBe('{"a":[1]}');
  });
});

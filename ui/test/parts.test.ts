import { describe, expect, it } from 'vitest';
import { Api, ApiError, type ActionSpec, type Column } from '../src/lib/api';
import { covers } from '../src/lib/app.svelte';
import { cellOf, type Reader } from '../src/lib/cells';
import { matchesSearch, parseCommand, phoneAction, textField } from '../src/lib/commands';
import { distance, isStale, metres, nameOf, num } from '../src/lib/entity';
import { compareIncidents, hitsOf, isTold, nextStep, tellable } from '../src/lib/incident';
import { shortcut, type Pressed } from '../src/lib/keys';
import { centroid } from '../src/lib/map/base';
import { markerAt } from '../src/lib/map/markers';
import { Plane, pan, zoomAt } from '../src/lib/map/project';
import { compareNames } from '../src/lib/text';
import { headOf, linesOf } from '../src/lib/traces';
import { event, state } from './helpers';

describe('keys', () => {
  const pressed = (more: Partial<Pressed>): Pressed => ({
    key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, defaultPrevented: false, target: document.body, ...more,
  });

  it.each([
    ['j', 'KeyJ', 'next'], ['k', 'KeyK', 'previous'], ['a', 'KeyA', 'acknowledge'], ['s', 'KeyS', 'shelve'], ['Enter', 'Enter', 'open'],
    ['/', 'Slash', 'command'], ['Escape', 'Escape', 'close'],
    // the same places while the keyboard is switched to Thai
    ['่', 'KeyJ', 'next'], ['า', 'KeyK', 'previous'], ['ฟ', 'KeyA', 'acknowledge'], ['ห', 'KeyS', 'shelve'], ['ฝ', 'Slash', 'command'],
  ])('%s on %s means %s', (key, code, name) => expect(shortcut(pressed({ key, code }))).toBe(name));

  it('asks for help by ? in both layouts', () => {
    expect(shortcut(pressed({ key: '?', code: 'Slash', shiftKey: true }))).toBe('help');
    expect(shortcut(pressed({ key: 'ฦ', code: 'Slash', shiftKey: true }))).toBe('help');
  });

  it('leaves those alone who type, and the browser its own keys', () => {
    const input = document.createElement('input');
    expect(shortcut(pressed({ key: 'a', code: 'KeyA', target: input }))).toBeNull();
    expect(shortcut(pressed({ key: 'a', code: 'KeyA', ctrlKey: true }))).toBeNull();
    expect(shortcut(pressed({ key: 'A', code: 'KeyA', shiftKey: true }))).toBeNull();
  });

  it('acknowledges once while the key is held, and keeps moving', () => {
    expect(shortcut(pressed({ key: 'a', code: 'KeyA', repeat: true }))).toBeNull();
    expect(shortcut(pressed({ key: 'j', code: 'KeyJ', repeat: true }))).toBe('next');
  });
});

describe('the command line', () => {
  it('reads commands', () => {
    expect(parseCommand('/191  ทะเลาะวิวาท  หน้าตลาด')).toEqual({ kind: 'phone', text: 'ทะเลาะวิวาท หน้าตลาด' });
    expect(parseCommand('/191')).toEqual({ kind: 'phone', text: '' });
    expect(parseCommand('1กข 1234')).toEqual({ kind: 'find', text: '1กข 1234' });
    expect(parseCommand('/fly')).toEqual({ kind: 'unknown', word: '/fly' });
    expect(parseCommand('/?')).toEqual({ kind: 'help' });
    expect(parseCommand('  ')).toEqual({ kind: 'empty' });
  });

  it('finds the action for a call by what the hub declares', () => {
    const spec = (name: string, capability: string | null, keys: string[]): ActionSpec => ({
      name, capability, title: { th: '', en: '' }, right: 'x.y', idempotent: true, dangerous: false, timeout: 1,
      params: { properties: Object.fromEntries(keys.map((key) => [key, { type: 'string' }])) },
    });
    const close = spec('incident.close', 'incident', ['result']);
    const open = spec('incident.open', null, ['kind', 'title']);
    const call = spec('incident.call_note', null, ['place', 'text']);
    expect(phoneAction([close])).toBeNull();
    expect(phoneAction([close, open])).toBe(open);
    expect(phoneAction([open, call])).toBe(call);
    expect(textField(call)).toBe('text');
    expect(textField(open)).toBe('title');
  });

  it('searches all that is shown', () => {
    const unit = state('unit.s211', 'busy', { name: { th: 'สายตรวจ 211', en: 'Patrol 211' } });
    expect(matchesSearch(unit, 'patrol 211')).toBe(true);
    expect(matchesSearch(unit, 'สายตรวจ')).toBe(true);
    expect(matchesSearch(unit, '212')).toBe(false);
  });
});

describe('an entity', () => {
  it('is stale past its declared silence by its own position clock, or out of reach', () => {
    const unit = state('unit.a', 'available', { silent_after: 60, fix_at: 900 }, 1, 1000);
    expect(isStale(unit, 960)).toBe(false);
    expect(isStale(unit, 961)).toBe(true);
    expect(isStale(state('camera.a', 'idle', {}), 1e9)).toBe(false);
    expect(isStale(state('camera.a', 'idle', { available: false }), 1000)).toBe(true);
  });

  it('keeps masked values from becoming numbers', () => {
    expect(num(state('unit.a', 'x', { lat: '•••' }), 'lat')).toBeNull();
  });

  it('has a name in both languages, or its id', () => {
    const camera = state('camera.gold_3', 'idle', { name: { th: 'ร้านทอง', en: 'Gold shop' } });
    expect([nameOf(camera, 'th'), nameOf(camera, 'en'), nameOf(undefined, 'th', 'unit.s211')]).toEqual(['ร้านทอง', 'Gold shop', 'S211']);
  });

  it('sorts Thai names as people do', () => {
    expect(['เก้า', 'ขอ', 'กา', 'แก'].sort((a, b) => compareNames(a, b, 'th'))).toEqual(['กา', 'เก้า', 'แก', 'ขอ']);
  });

  it('measures distances', () => {
    expect(metres([17, 99.82], [17.001, 99.82])).toBeCloseTo(111.2, 0);
    expect([distance(349.6, 'th'), distance(1250, 'en')]).toEqual(['350 ม.', '1.3 km']);
  });
});

describe('an incident', () => {
  it('knows its next step', () => {
    const owner = { owner_officer: 'user:a' };
    expect(nextStep(state('incident.1', 'open'))).toBe('acknowledge');
    expect(nextStep(state('incident.1', 'acknowledged', owner))).toBe('assign');
    expect(nextStep(state('incident.1', 'assigned', { ...owner, unit: 'unit.a' }))).toBe('close');
    expect(nextStep(state('incident.1', 'closed', owner))).toBe('done');
  });

  it('asks for an owner even where a rule has assigned a unit already', () => {
    expect(nextStep(state('incident.1', 'assigned', { unit: 'unit.a' }))).toBe('acknowledge');
  });

  it('finds its hits by attachment, source, alarm and picture, the pending first', () => {
    const hits = ['a', 'b', 'c', 'd', 'e'].map((id, n) => state(`hit.${id}`, id === 'a' ? 'confirmed' : 'pending', { crop: id === 'd' ? 'pic' : '' }, n));
    const incident = state('incident.1', 'open', { source_entity: 'hit.b', crop: 'pic' });
    const timeline = [event(1, 'incident_attached', 'incident.1', { what: 'hit', ref: 'hit.a' })];
    const alarms = [state('alarm.1', 'unacknowledged', { incident: 'incident.1', subject: 'hit.c' })];
    expect(hitsOf(incident, timeline, alarms, hits).map((hit) => hit.entity)).toEqual(['hit.d', 'hit.c', 'hit.b', 'hit.a']);
  });

  it('stands in order of urgency', () => {
    const made = (id: string, value: string, priority: string) =>
      state(`incident.${id}`, value, { priority, opened_at: 1, ...(value === 'open' ? {} : { owner_officer: 'user:a' }) });
    const sorted = [made('c', 'assigned', 'critical'), made('b', 'open', 'high'), made('a', 'open', 'critical')].sort(compareIncidents);
    expect(sorted.map((one) => one.entity)).toEqual(['incident.a', 'incident.b', 'incident.c']);
  });
});

describe('the map', () => {
  const size = { width: 800, height: 600 };
  const plane = new Plane([17, 99.82]);

  it('puts north up and east right, in metres', () => {
    const camera = { x: 0, y: 0, scale: 1 };
    expect(plane.pixels([17, 99.82], camera, size)).toEqual({ x: 400, y: 300 });
    const northEast = plane.pixels([17.001, 99.821], camera, size);
    expect(northEast.y).toBeCloseTo(300 - 111.195, 3);
    expect(northEast.x).toBeCloseTo(400 + 111.195 * Math.cos((17 * Math.PI) / 180), 3);
  });

  it('fits the border with its margin', () => {
    const camera = plane.fit([[16.995, 99.815], [17.005, 99.825]], size);
    const corner = plane.pixels([17.005, 99.825], camera, size);
    expect(corner.y).toBeCloseTo(36, 3);
    expect(corner.x).toBeLessThan(800 - 36);
  });

  it('keeps the point under the finger while zooming', () => {
    const camera = plane.fit([[16.995, 99.815], [17.005, 99.825]], size);
    const place: [number, number] = [17.002, 99.822];
    const before = plane.pixels(place, camera, size);
    const after = plane.pixels(place, zoomAt(camera, 3, before, size), size);
    expect(after.x).toBeCloseTo(before.x, 6);
    expect(after.y).toBeCloseTo(before.y, 6);
    const moved = plane.pixels(place, pan(camera, 10, -20), size);
    expect([moved.x - before.x, moved.y - before.y].map((n) => Math.round(n * 1e6) / 1e6)).toEqual([10, -20]);
  });

  it('finds the middle of a community', () => {
    expect(centroid([[0, 0], [0, 2], [2, 2], [2, 0]])).toEqual([1, 1]);
    expect(centroid([])).toBeNull();
    expect(centroid([[1, 1], [3, 3]])).toEqual([2, 2]);
  });

  it('chooses the nearest marker within reach', () => {
    const marker = (entity: string, x: number) => ({ entity, domain: 'unit', state: state(entity, ''), at: { x, y: 0 }, stale: false });
    const markers = [marker('unit.a', 0), marker('unit.b', 12)];
    expect(markerAt(markers, { x: 8, y: 0 })?.entity).toBe('unit.b');
    expect(markerAt(markers, { x: 40, y: 0 })).toBeNull();
  });
});

describe('a table cell', () => {
  const reader: Reader = { lang: 'th', now: 1060, zone: 'Asia/Bangkok', name: (id) => `<${id}>` };
  const unit = state('unit.a', 'busy', { battery_pct: 63.4, fix_at: 1000, incident: 'incident.1', speed: 1234.567, name: { th: 'ก', en: 'A' } });
  const column = (field: string, format: Column['format'] = 'text'): Column => ({ field, title: { th: '', en: '' }, format });

  it.each([
    ['state', 'text', 'ติดภารกิจ'], ['name', 'text', 'ก'], ['battery_pct', 'percent', '63%'], ['fix_at', 'age', '1 นาทีก่อน'],
    ['fix_at', 'time', '1 ม.ค. 2513 07:16:40'], ['incident', 'entity', '<incident.1>'], ['speed', 'number', '1,234.57'], ['nothing', 'number', ''],
  ] as const)('%s as %s', (field, format, words) => expect(cellOf(unit, column(field, format), reader)).toBe(words));
});

describe('a trace', () => {
  it('is told in order with what went wrong', () => {
    const trace = {
      started: 5, status: 'failed', error: 'action/1: x', trigger: { platform: 'event', type: 'plate_read', entity: 'camera.a', seq: 9 },
      steps: [{ path: 'condition/0', at: 5, result: true, detail: { state: 'on' } }, { path: 'action/1', at: 6, result: null, error: 'x', detail: { keys: ['k'] } }],
    };
    expect(headOf(trace)).toEqual({ at: 5, state: 'failed', trigger: 'event · plate_read · camera.a', error: 'action/1: x', seconds: null });
    expect(headOf({ ...trace, finished: 7 }).seconds).toBe(2);
    expect(linesOf(trace)).toEqual([
      { path: 'condition/0', at: 5, words: 'state on', failed: false },
      { path: 'action/1', at: 6, words: 'x', failed: true },
    ]);
    expect(linesOf({})).toEqual([]);
  });
});

describe('the API client', () => {
  const answering = (status: number, body: unknown) => new Api(async () => new Response(body === null ? '' : JSON.stringify(body), { status }));

  it('turns a refusal into words', async () => {
    const api = answering(403, { error: { code: 'denied', message: 'no', where: 'x', hint: 'ask' } });
    await expect(api.zone()).rejects.toMatchObject({ code: 'denied', status: 403, message: 'no', hint: 'ask' });
  });

  it('tells when nobody is signed in, and survives answers that are no JSON', async () => {
    const api = answering(401, null);
    let told = 0;
    api.onSignedOut = () => told++;
    await expect(api.session()).rejects.toBeInstanceOf(ApiError);
    expect(told).toBe(1);
  });

  it('says that the hub was not reached', async () => {
    const api = new Api(async () => Promise.reject(new TypeError('failed')));
    await expect(api.zone()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('understands patterns of rights', () => {
    expect(covers('*', 'a.b')).toBe(true);
    expect(covers('*.control', 'light.control')).toBe(true);
    expect(covers('drone.*', 'drone.dispatch')).toBe(true);
    expect(covers('drone.*', 'drones.dispatch')).toBe(false);
    expect(covers('drone.return', 'drone.dispatch')).toBe(false);
  });
});

describe('the story of a case', () => {
  it('leaves out the machinery, but not what failed', () => {
    const told = (type: string, data: Record<string, unknown> = {}) => isTold(event(1, type, 'incident.1', data));
    expect(told('action_requested')).toBe(false);
    expect(told('action_finished', { status: 'done' })).toBe(false);
    expect(told('action_finished', { status: 'failed' })).toBe(true);
    expect(told('entity_added')).toBe(false);
    expect(told('incident_noted')).toBe(true);
    expect(told('a_plugins_own_type')).toBe(true);
  });

  it('tells what went wrong and no numbers of events', () => {
    const failed = event(1, 'action_finished', 'incident.1', { action: 'incident.assign', status: 'failed', error: { code: 'unavailable', message: 'no unit' } });
    expect(tellable(failed)).toEqual([['action', 'incident.assign'], ['status', 'failed'], ['error', 'no unit']]);
    const attached = event(2, 'incident_attached', 'incident.1', { what: 'unit_alerted', ref: 'event:58', by: 'unit.s211' });
    expect(tellable(attached)).toEqual([['by', 'unit.s211'], ['what', 'unit_alerted']]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Column, View } from '../src/lib/api';
import { cellOf, intervalOf, sortRows, type Reader } from '../src/lib/cells';
import { counted, measured, stretchFor, ticks, timeTicks, timeWords } from '../src/lib/chart';
import { duration } from '../src/lib/dates';
import { dutyOf, silentOf } from '../src/lib/duty';
import { actionsOf } from '../src/lib/offers';
import { compareReports, findReports, isWaiting, mergedInto, messagesOf } from '../src/lib/reports';
import { findPages, pagesOf } from '../src/lib/sections';
import { callsForHelp, helpPosition } from '../src/lib/sos';
import { stretchOf } from '../src/lib/windowing';
import { saying } from '../src/lib/words';
import { event, HOSTILE, state } from './helpers';

const column = (field: string, format: Column['format'] = 'text'): Column => ({ field, title: { th: '', en: '' }, format });
const reader: Reader = { lang: 'th', now: 1060, zone: 'Asia/Bangkok', name: (id) => `<${id}>` };

describe('the formats of a column', () => {
  const row = state('poll.a', 'closed', {
    seconds: 12_000, phrase: { th: 'ก', en: 'A' }, list: ['ข', 'ค', 5], yes: true, no: false, who: ['user.a', 'user.b'], day: '2026-11-22',
    iso: '2026-11-22T07:05:00Z', priority: 'high', many: Array.from({ length: 20 }, (_, index) => index),
  });

  it.each<[string, Column['format'], string]>([
    ['seconds', 'duration', '3 ชม. 20 นาที'], ['phrase', 'words', 'ก'], ['list', 'list', 'ข, ค, 5'], ['yes', 'bool', '✓ ใช่'], ['no', 'bool', '– ไม่ใช่'],
    ['who', 'entity', '<user.a>, <user.b>'], ['day', 'time', '22 พ.ย. 2569'], ['iso', 'time', '22 พ.ย. 2569 14:05:00'], ['state', 'text', 'ปิดแล้ว'],
    ['priority', 'text', 'สูง'], ['yes', 'text', 'ใช่'], ['many', 'list', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 · อีก 8 รายการ'], ['missing', 'duration', ''],
  ])('%s as %s', (field, format, words) => expect(cellOf(row, column(field, format), reader)).toBe(words));

  it.each(Object.entries(HOSTILE))('are harmless: %s', (_, evil) => {
    const bad = state('poll.a', evil, { x: evil, list: [evil, evil] });
    for (const format of ['text', 'list', 'words', 'entity', 'time', 'bool', 'interval', 'duration'] as const) {
      const shown = cellOf(bad, column('list', format), { ...reader, name: (id) => saying('th', '', 'x', id) }) + cellOf(bad, column('x', format), { ...reader, name: (id) => saying('th', '', 'x', id) });
      expect(shown).not.toMatch(/[\u0000-\u0008\u200b\u202a-\u202e\u2066-\u2069]/);
      expect(shown.length).toBeLessThan(2_500);
    }
  });

  it('sort numbers as numbers, Thai as Thai, nothing last', () => {
    const rows = [['10', 'ข'], ['9', 'เก'], ['', 'ก']].map(([n, name], index) => state(`row.${index}`, '', { n: n === '' ? null : Number(n), name: { th: name, en: name } }));
    const sorted = (field: string | null, down = false) => sortRows(rows, field ? column(field) : null, down, reader).map((row) => row.entity);
    expect(sorted('n')).toEqual(['row.1', 'row.0', 'row.2']);
    expect(sorted('n', true)).toEqual(['row.0', 'row.1', 'row.2']); // nothing is last either way
    expect(sorted('name')).toEqual(['row.2', 'row.1', 'row.0']);
    expect(sorted(null)).toEqual(['row.2', 'row.1', 'row.0']);
  });

  it('say how long', () => {
    expect([45, 60, 3599, 3600, 7260, -5].map((s) => duration(s, 'en'))).toEqual(['45 s', '1 min', '1 h', '1 h', '2 h 1 min', '0 s']);
  });
});

describe('an interval', () => {
  const at = (low: number, high: number, more = {}) => intervalOf({ low, estimate: (low + high) / 2, high, mark: 40, ...more })?.verdict;

  it('is met or not only when it lies wholly on one side', () => {
    expect([at(40, 60), at(39.9, 60), at(10, 40), at(10, 39.9)]).toEqual(['met', 'cannot_tell', 'cannot_tell', 'not_met']);
    expect(at(50, 60, { verdict: 'cannot_tell' })).toBe('cannot_tell');
    expect(intervalOf({ low: 1, estimate: 2, high: 3 })?.verdict).toBeNull();
  });

  it('is none when its numbers are wrong', () => {
    for (const bad of [null, 5, {}, { low: 1, estimate: 2, high: 101 }, { low: 5, estimate: 5, high: 1 }, { low: 'a', estimate: 1, high: 2 }]) expect(intervalOf(bad)).toBeNull();
  });
});

describe('a long table', () => {
  it('draws what is in sight and some around it', () => {
    expect(stretchOf(500, 0, 600, 40)).toEqual({ from: 0, to: 35, above: 0, below: 465 * 40 });
    const middle = stretchOf(500, 8000, 600, 40);
    expect(middle).toEqual({ from: 180, to: 235, above: 7200, below: 265 * 40 });
    expect(stretchOf(500, 1e9, 600, 40).to).toBe(500);
    expect(stretchOf(0, 0, 600, 40)).toEqual({ from: 0, to: 0, above: 0, below: 0 });
  });
});

describe('a chart', () => {
  const at = (seconds: number, data = {}) => ({ ...event(seconds, 'x', null, data), at: seconds });

  it('counts in stretches people know, zeros between', () => {
    expect([10, 3600, 48 * 3600, 40 * 86_400].map(stretchFor)).toEqual([60, 300, 3600, 86_400]);
    const { points, stretch } = counted([at(100), at(110), at(400)], 480);
    expect(stretch).toBe(60);
    expect(points.map(({ value }) => value)).toEqual([2, 0, 0, 0, 0, 1, 0, 0]);
    expect(points[0]!.at).toBe(60);
  });

  it('takes the numbers of fields and nothing else', () => {
    const series = measured([at(2, { a: 5, b: 'x' }), at(1, { a: 3, b: 4 })], ['a', 'b']);
    expect(series).toEqual([{ key: 'a', points: [{ at: 1, value: 3 }, { at: 2, value: 5 }] }, { key: 'b', points: [{ at: 1, value: 4 }] }]);
  });

  it('has round rungs', () => {
    expect(ticks(0, 10)).toEqual([0, 5, 10]);
    expect(ticks(0, 1, true)).toEqual([0, 1]);
    expect(ticks(-3, 97)).toEqual([-50, 0, 50, 100]);
    expect(ticks(0, 0)).toEqual([0, 1]);
  });

  it('writes the Buddhist era on days and the clock on hours', () => {
    const noon = Date.UTC(2026, 10, 22, 5) / 1000;
    expect(timeTicks(noon, noon + 3 * 86_400, 'Asia/Bangkok').map((t) => timeWords(t, 3 * 86_400, 'th', 'Asia/Bangkok'))).toEqual(['23 พ.ย. 2569', '24 พ.ย. 2569', '25 พ.ย. 2569']);
    expect(timeWords(noon, 3600, 'en', 'Asia/Bangkok')).toBe('12:00');
  });
});

describe('the inbox', () => {
  const report = (id: string, value: string, more = {}) => state(`report.${id}`, value, { receipt: id.toUpperCase(), received_at: 100, channel: 'qr', ...more });
  const said = (at: number, by: string) => ({ at, by, text: 'x', media: [] });

  it('puts first who waits: untaken, or not answered since', () => {
    const taken = report('b', 'seen', { messages: [said(100, 'reporter'), said(200, 'user:a')] });
    const again = report('c', 'seen', { messages: [said(100, 'reporter'), said(200, 'user:a'), said(300, 'reporter')] });
    const urgent = report('d', 'received', { priority: 'critical', received_at: 500 });
    const fresh = report('e', 'received', { received_at: 50 });
    const done = report('f', 'closed');
    const merged = report('g', 'received', { merged_into: 'report.d' });
    expect([taken, again, urgent, fresh, done, merged].map(isWaiting)).toEqual([false, true, true, true, false, false]);
    const sorted = [merged, done, taken, again, fresh, urgent].toSorted(compareReports).map((one) => one.entity);
    expect(sorted.slice(0, 4)).toEqual(['report.d', 'report.e', 'report.c', 'report.b']);
    expect(mergedInto('report.d', [merged, done])).toEqual([merged]);
  });

  it('reads the conversation, whatever stands in it', () => {
    expect(messagesOf(report('a', 'received', { text: 'ช่วยด้วย', media: ['m1', 5] }))).toEqual([{ at: 100, by: 'reporter', text: 'ช่วยด้วย', media: ['m1'] }]);
    const odd = report('a', 'seen', { messages: [null, 'x', { by: 5 }, { at: 9, by: 'user:a', text: HOSTILE.backwards, media: 'no' }] });
    expect(messagesOf(odd)).toEqual([{ at: 100, by: '5', text: '', media: [] }, { at: 9, by: 'user:a', text: 'safegnp.exe', media: [] }]);
  });

  it('finds by receipt, words and place', () => {
    const all = [report('k7m', 'received', { text: 'ไฟไหม้' }), report('abc', 'received', { place: 'ตลาด' })];
    expect(findReports(all, 'K7M').map((one) => one.entity)).toEqual(['report.k7m']);
    expect(findReports(all, 'ตลาด').map((one) => one.entity)).toEqual(['report.abc']);
    expect(findReports(all, ' ')).toHaveLength(2);
  });
});

describe('duty, silence and calls for help', () => {
  it('tells who is on duty and whether they are enough', () => {
    const shift = state('shift.current', 'short', { officers: [{ account: 'user:a', name: 'สมชาย', title: 'ร.ต.อ.' }, { account: 'user:b' }, 'user:c'], count: 1, needed: 2, until: 99 });
    expect(dutyOf(shift, 'th')).toEqual({ officers: ['ร.ต.อ. สมชาย', 'b', 'c'], accounts: ['a', 'b', 'c'], unheard: true, since: null, until: 99, short: { count: 1, needed: 2 } });
    expect(dutyOf(undefined, 'th')).toBeNull();
  });

  it('lists what is silent, the longest first', () => {
    const states = [state('camera.a', '', { silent: true, last_sign: 50 }), state('camera.b', '', { silent: false }), state('plugin.x', '', { silent: true, last_sign: null })];
    expect(silentOf(states)).toEqual([{ entity: 'plugin.x', lastSign: null }, { entity: 'camera.a', lastSign: 50 }]);
  });

  it('puts who asked first on top, at the place of the call', () => {
    const units = [state('unit.a', '', { sos_at: 9, lat: 1, lon: 2 }), state('unit.b', '', { sos_at: 5, sos_lat: 3, sos_lon: 4, lat: 1, lon: 2 }), state('unit.c', '', { sos_at: null })];
    expect(callsForHelp(units).map((unit) => unit.entity)).toEqual(['unit.b', 'unit.a']);
    expect(callsForHelp(units).map(helpPosition)).toEqual([[3, 4], [1, 2]]);
  });
});

describe('pages', () => {
  const view = (plugin: string, more: Partial<View>): View => ({
    id: 'a', kind: 'table', title: { th: 'ก', en: 'A' }, domain: null, event_type: null, action: null, columns: [], right: 'state.read', plugin, instance: plugin, ...more,
  });
  const views = [view('zeta', { domain: 'light' }), view('alpha', { section: 'patrol', domain: 'light' }), view('nobody', {}), view('alpha', { id: 'b', title: { th: 'ข', en: 'B' } })];

  it('stand where the manifest says, else by what they show', () => {
    expect(pagesOf(views, 'th').map((page) => [page.plugin, page.section, page.holds])).toEqual([['zeta', 'streets', 'ก'], ['alpha', 'patrol', 'ก · ข'], ['nobody', 'technical', 'ก']]);
  });

  it('are found in either language', () => {
    const pages = pagesOf(views, 'en');
    expect(findPages(pages, 'ข').map((page) => page.plugin)).toEqual(['alpha']);
    expect(findPages(pages, 'light').map((page) => page.plugin)).toEqual(['zeta', 'alpha']);
    expect(findPages(pages, 'zzz')).toEqual([]);
  });
});

describe('the actions of a row', () => {
  const spec = (name: string, capability: string | null) => ({ name, title: { th: '', en: '' }, right: 'light.control', capability, idempotent: true, dangerous: false, timeout: 1, params: {} });
  const specs = [spec('light.on', 'light'), spec('light.off', 'light'), spec('camera.ptz', 'camera'), spec('light.import', null)];
  const lamp = state('light.a', 'on', { capabilities: ['light'] });
  const names = (chosen: string[] | null, may = true) => actionsOf(lamp, specs, chosen, () => may).map((one) => one.name);

  it('are those of its capabilities, chosen and ordered by the view, and permitted', () => {
    expect(names(null)).toEqual(['light.on', 'light.off']);
    expect(names(['light.off', 'camera.ptz'])).toEqual(['light.off']);
    expect(names([])).toEqual([]);
    expect(names(null, false)).toEqual([]);
  });
});

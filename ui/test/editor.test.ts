import { readFileSync } from 'node:fs';
import { mount as mountPart, unmount, flushSync } from 'svelte';
import { describe, expect, it } from 'vitest';
import BlankInput from '../src/components/editor/BlankInput.svelte';
import Diff from '../src/components/editor/Diff.svelte';
import type { Blank, Known } from '../src/lib/editor/api';
import { blankField, collect, durationText } from '../src/lib/editor/blanks';
import { completeAt, domainsOf } from '../src/lib/editor/complete';
import { spotAt } from '../src/lib/editor/context';
import { diffLines } from '../src/lib/editor/diff';
import { CONDITION_KEYS, STEP_KEYS, TRIGGER_KEYS } from '../src/lib/editor/grammar';
import { didNotRun, firstFalse, headOf } from '../src/lib/traces';
import { HOSTILE } from './helpers';

const known: Known = {
  entities: [
    { id: 'drone.sky1', name: { th: 'โดรนสกาย', en: 'Sky drone' }, domain: 'drone', state: 'ready', capabilities: ['drone'] },
    { id: 'light.lamp_01', name: { th: 'ไฟตลาด', en: 'Market light' }, domain: 'light', state: 'off', capabilities: ['light'] },
  ],
  actions: [
    {
      name: 'light.boost', title: { th: 'เร่งไฟ', en: 'Brighten' }, capability: 'light', target: true, dangerous: false,
      fields: [
        { name: 'reason', type: 'string', required: false, title: 'Reason', description: '', choices: [], entity: null },
        { name: 'minutes', type: 'integer', required: true, title: { th: 'นาที', en: 'Minutes' }, description: '', choices: [], entity: null },
        { name: 'level', type: 'string', required: false, title: 'Level', description: '', choices: ['low', 'full'], entity: null },
      ],
    },
  ],
  scripts: [{ name: 'script.dim', title: 'หรี่' }],
  events: [{ name: 'watchlist_hit', title: { th: 'พบป้าย', en: 'Hit' }, fields: [{ name: 'plate', type: 'string', required: true, title: 'Plate', description: '', choices: [], entity: null }] }],
  triggers: ['event', 'state'], conditions: ['state', 'and'], steps: ['action'],
  blueprints: [{ path: 'hit.yaml', name: 'ป้าย / Hit', domain: 'automation', inputs: [
    { name: 'drone', section: null, title: 'โดรน', description: '', selector: { entity: { domain: 'drone' } }, required: true },
    { name: 'how', section: null, title: 'อย่างไร', description: '', selector: { select: { options: ['a', { value: 'b', label: 'บี' }] } }, required: false, default: 'a' },
  ] }],
};

/** The labels at ``|``. */
function at(text: string, lang: 'th' | 'en' = 'th'): string[] {
  const pos = text.indexOf('|');
  return completeAt(text.replace('|', ''), pos, known, lang)?.options.map((one) => one.label) ?? [];
}

describe('where the cursor stands', () => {
  it('knows the keys above and beside by indentation', () => {
    const text = 'id: a\nactions:\n  - action: light.boost\n    data:\n      minutes: 5\n      \n    target:\n      entity_id: light.x\n';
    const spot = spotAt(text, text.indexOf('minutes: 5') + 'minutes: 5\n      '.length);
    expect(spot.frames.map((frame) => frame.key)).toEqual(['data', 'actions', '']);
    expect(spot.frames[0]!.mapping).toEqual({ minutes: '5' });
    expect(spot.frames[1]!.mapping).toEqual({ action: 'light.boost', data: '', target: '' });
    expect(spot.frames[2]!.mapping).toEqual({ id: 'a', actions: '' });
  });

  it('finds a list that begins in the column of its key', () => {
    const text = 'actions:\n- if: x\n  then:\n  - action: li';
    const spot = spotAt(text, text.length);
    expect([spot.key, spot.word, spot.frames.map((frame) => frame.key)]).toEqual(['action', 'li', ['then', 'actions', '']]);
  });

  it.each([
    ['mo|', ['mode']],
    ['triggers:\n  - trigger: |', ['event', 'state']],
    ['triggers:\n  - trigger: event\n    event_type: watch|', ['watchlist_hit']],
    ['triggers:\n  - trigger: event\n    event_type: watchlist_hit\n    event_data: {|', ['plate']],
    ['triggers:\n  - trigger: event\n    event_d|', ['event_data']],
    ['actions:\n  - action: |', ['light.boost', 'script.dim']],
    ['actions:\n  - action: light.boost\n    target: {entity_id: |', ['light.lamp_01']],
    ['actions:\n  - action: light.boost\n    target:\n      entity_id:\n        - |', ['light.lamp_01']],
    ['actions:\n  - action: light.boost\n    data:\n      |', ['minutes', 'reason', 'level']],
    ['actions:\n  - action: light.boost\n    data:\n      level: f|', ['full']],
    ['conditions:\n  - "{{ is_state(\'dro|', ['drone.sky1']],
    ['use_blueprint:\n  path: |', ['hit.yaml']],
    ['use_blueprint:\n  path: hit.yaml\n  input:\n    |', ['drone', 'how']],
    ['use_blueprint:\n  path: hit.yaml\n  input:\n    drone: |', ['drone.sky1']],
    ['use_blueprint:\n  path: hit.yaml\n  input:\n    how: |', ['a', 'b']],
    ['mode: q|', ['queued']],
    ['alias: อะไรก็ได้ |', []],
  ])('%j offers %j', (text, labels) => expect(at(text)).toEqual(labels));

  it('finds an entity by what people call it', () => {
    const text = 'triggers:\n  - trigger: state\n    entity_id: ';
    const found = completeAt(text, text.length, known, 'th')!;
    expect(found.options.map((one) => [one.label, one.detail])).toEqual([['drone.sky1', 'โดรนสกาย'], ['light.lamp_01', 'ไฟตลาด']]);
    expect(at(`${text}mark|`, 'en')).toEqual(['light.lamp_01']);
    expect(at(`${text}sky|`)).toEqual(['drone.sky1']);
  });

  it('survives texts that are no YAML, and long ones', () => {
    for (const text of ['', '- ', '{{{', ': :', '\t\t', '- - - a: b: c', HOSTILE.control, `${'  '.repeat(500)}- x`]) expect(() => at(`${text}|`)).not.toThrow();
    const long = `${'- action: light.boost\n  data: {minutes: 1}\n'.repeat(3000)}- action: |`;
    expect(at(long)).toEqual(['light.boost', 'script.dim']);
  });
});

describe('the grammar', () => {
  const source = (file: string): string => readFileSync(`../hub/automation/language/${file}.py`, 'utf8');
  const kinds = (text: string, table: string): string[] => [...text.slice(text.indexOf(`\n${table}:`)).split('\n}')[0]!.matchAll(/"(\w+)": /g)].map(([, kind]) => kind!);

  it('has the kinds of the hub', () => {
    expect(Object.keys(TRIGGER_KEYS).sort()).toEqual(kinds(source('parse_triggers'), '_TRIGGERS').sort());
    expect(Object.keys(CONDITION_KEYS).sort()).toEqual([...kinds(source('parse_conditions'), '_CONDITIONS'), 'and', 'or', 'not'].sort());
    const old = ['service', 'service_template', 'device_id', 'set_conversation_response'];
    expect(Object.keys(STEP_KEYS).sort()).toEqual(kinds(source('parse_steps'), '_STEPS').filter((kind) => !old.includes(kind)).sort());
  });
});

describe('what differs', () => {
  it('is shown line by line with a little around', () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].join('\n');
    const after = ['a', 'b', 'c', 'X', 'e', 'f', 'g', 'h', 'i'].join('\n');
    expect(diffLines(before, after).map(({ kind, text, n }) => `${kind} ${n} ${text}`)).toEqual([
      'same 2 b', 'same 3 c', 'gone 4 d', 'new 4 X', 'same 5 e', 'same 6 f', 'same 7 g', 'same 8 h', 'new 9 i',
    ]);
    expect(diffLines('a\r\nb', 'a\nb')).toEqual([]);
    expect(diffLines('', 'x').map(({ kind }) => kind)).toEqual(['gone', 'new']);
  });

  it('leaves out what is far from any change', () => {
    const lines = Array.from({ length: 100 }, (_, n) => `l${n}`);
    const after = lines.with(10, 'x').with(90, 'y');
    expect(diffLines(lines.join('\n'), after.join('\n')).filter(({ kind }) => kind === 'skip').length).toBe(1);
  });

  it('shows hostile lines as text', () => {
    const target = document.createElement('div');
    const part = mountPart(Diff, { target, props: { before: 'a', after: `${HOSTILE.markup}\n${HOSTILE.backwards}\n${HOSTILE.long}` } });
    flushSync();
    expect(target.querySelector('img, script')).toBeNull();
    expect(target.textContent).toContain('<img src=x');
    expect(target.textContent).not.toContain('\u202E');
    void unmount(part);
  });
});

describe('a blueprint’s blanks', () => {
  const blank = (name: string, selector: Record<string, unknown> | null, more: Partial<Blank> = {}): Blank => ({ name, section: null, title: name, description: '', selector, required: !('default' in more), ...more });

  it.each([
    [{ entity: { domain: 'light' } }, 'entity'], [{ entity: { multiple: true } }, 'entities'], [{ select: { options: ['a'] } }, 'select'],
    [{ number: { min: 1, max: 5 } }, 'number'], [{ boolean: null }, 'boolean'], [{ time: {} }, 'time'], [{ duration: {} }, 'duration'],
    [{ text: {} }, 'text'], [{ text: { multiline: true } }, 'long'], [{ target: {} }, 'target'], [{ action: {} }, 'yaml'], [null, 'text'],
  ])('%j is asked as %s', (selector, kind) => expect(blankField(blank('x', selector)).kind).toBe(kind));

  it('guesses what an input without a selector takes by its default', () => {
    expect([40, true, '', { a: 1 }].map((value) => blankField(blank('x', null, { default: value })).kind)).toEqual(['number', 'boolean', 'text', 'yaml']);
  });

  it('leaves defaults out, names what is missing, and hands YAML on', () => {
    const fields = [
      blank('group', null), blank('drone', { entity: { domain: 'drone' } }), blank('high', { number: { min: 1, max: 50 } }, { default: 40 }),
      blank('steps', { action: {} }, { default: [] }), blank('wait', { duration: {} }, { default: { minutes: 5 } }), blank('at', { time: {} }), blank('where', { target: {} }),
    ].map(blankField);
    expect(collect(fields, {})).toEqual({ input: {}, yaml: {}, missing: ['group', 'drone', 'at', 'where'] });
    const typed = { group: 'g', drone: 'drone.sky1', high: '20', steps: '- delay: 1', wait: '00:10', at: '06:30', where: 'light.x' };
    expect(collect(fields, typed)).toEqual({
      input: { group: 'g', drone: 'drone.sky1', high: 20, wait: '00:10', at: '06:30:00', where: { entity_id: 'light.x' } }, yaml: { steps: '- delay: 1' }, missing: [],
    });
    expect(collect(fields, { ...typed, high: '99', wait: 'soon' }).missing).toEqual(['high', 'wait']);
  });

  it('reads durations and domains as blueprints write them', () => {
    expect([{ hours: 1, minutes: 5 }, 90, '00:01:00'].map(durationText)).toEqual(['01:05:00', '00:01:30', '00:01:00']);
    expect(domainsOf({ filter: [{ domain: ['light', 'switch'] }] })).toEqual(['light', 'switch']);
    expect(domainsOf({})).toEqual([]);
  });

  it('shows hostile words as text and ties each label to its field', () => {
    const target = document.createElement('div');
    const field = blankField(blank('x', { select: { options: [HOSTILE.markup] } }, { title: HOSTILE.markup, description: HOSTILE.long }));
    const part = mountPart(BlankInput, { target, props: { field, value: '', id: 'f', wrong: true } });
    flushSync();
    expect(target.querySelector('img, script')).toBeNull();
    expect(target.querySelector('label')!.htmlFor).toBe('f');
    expect(target.querySelector('select')!.getAttribute('aria-describedby')).toBe('f-about f-wrong');
    void unmount(part);
  });
});

describe('why it did not run', () => {
  it('is the first condition that was false, with its values', () => {
    const trace = { status: 'condition', started: 10, finished: 10, trigger: {}, steps: [
      { path: 'condition/0', at: 10, result: true }, { path: 'condition/1', at: 10, result: false, detail: { entity: 'light.x', state: 'on', wanted: 'off' } },
    ] };
    expect(didNotRun(trace)).toBe(true);
    expect(firstFalse(trace)).toEqual({ path: 'condition/1', at: 10, words: 'entity light.x · state on · wanted off', failed: true });
    expect(didNotRun({ ...trace, status: 'finished' })).toBe(false);
    expect([headOf(trace).seconds, headOf({ ...trace, finished: 12.5 }).seconds]).toEqual([null, 2.5]);
  });
});

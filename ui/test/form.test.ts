import { Blob as RealBlob } from 'node:buffer'; // jsdom's cannot be read
import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../src/lib/api';
import { localToSeconds, secondsToLocal } from '../src/lib/dates';
import { readFile } from '../src/lib/files';
import { parseForm } from '../src/lib/form';
import { blank, fieldsOf, initialValues, type FormValues } from '../src/lib/schema';

const ZONE = 'Asia/Bangkok';

// As pydantic writes it.
const schema: JsonSchema = {
  type: 'object',
  $defs: {
    Person: { type: 'object', properties: { name: { type: 'string', maxLength: 5 }, age: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }], default: null } }, required: ['name'] },
    Colour: { type: 'string', enum: ['red', 'high'] },
  },
  properties: {
    names: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 2 },
    colours: { type: 'array', items: { $ref: '#/$defs/Colour' }, default: [] },
    people: { type: 'array', items: { $ref: '#/$defs/Person' }, minItems: 1 },
    owner: { anyOf: [{ $ref: '#/$defs/Person' }, { type: 'null' }], default: null },
    starts_at: { type: 'number' },
    ends: { type: 'string', format: 'date-time' },
    until: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
    day: { type: 'string', format: 'date' },
    sheet: { type: 'string', contentMediaType: 'text/csv', maxLength: 10 },
    picture: { type: 'string', contentEncoding: 'base64' },
    level: { type: 'number', exclusiveMinimum: 0, maximum: 90 },
    code: { type: 'string', pattern: '^[A-Z]{3}$' },
    light: { type: 'string', entity: 'light', words: { th: 'โคม', en: 'Lamp' } },
    anything: { type: 'object', additionalProperties: true },
  },
  required: ['people'],
};
const fields = fieldsOf(schema);
const field = (key: string) => fields.find((one) => one.key === key)!;
const one = { people: [{ name: 'ก', age: '' }] };
const parse = (values: FormValues) => parseForm(fields, { ...initialValues(fields), ...one, ...values }, ZONE);

describe('every kind of parameter', () => {
  it('is known', () => {
    const kinds = Object.fromEntries(fields.map(({ key, kind }) => [key, kind]));
    expect(kinds).toEqual({
      names: 'list', colours: 'many', people: 'list', owner: 'group', starts_at: 'moment', ends: 'datetime', until: 'datetime', day: 'date', sheet: 'file',
      picture: 'file', level: 'number', code: 'text', light: 'text', anything: 'json',
    });
    expect(field('people').item!.fields.map(({ key, kind, required }) => [key, kind, required])).toEqual([['name', 'text', true], ['age', 'integer', false]]);
    expect(field('colours').options).toEqual(['red', 'high']);
    expect(field('light').domains[0]).toBe('light');
    expect(field('light').words).toEqual({ th: 'โคม', en: 'Lamp' });
    expect([field('sheet').encoded, field('picture').encoded]).toEqual([false, true]);
    expect(blank(field('people').item!)).toEqual({ name: '', age: '' });
  });

  it('leaves out what was not filled in', () => {
    expect(parse({})).toEqual({ params: { people: [{ name: 'ก' }] }, mistakes: {} });
  });

  it('gives lists, groups and choices in their types', () => {
    const { params, mistakes } = parse({ names: ['a', 'b'], colours: ['high'], people: [{ name: 'ข', age: '7' }], owner: { name: 'ค', age: '' }, anything: '{"a": 1}' });
    expect(mistakes).toEqual({});
    expect(params).toEqual({ names: ['a', 'b'], colours: ['high'], people: [{ name: 'ข', age: 7 }], owner: { name: 'ค' }, anything: { a: 1 } });
  });

  it('gives times on the station’s clock', () => {
    expect(parse({ starts_at: '2026-11-22T14:05', ends: '2026-11-22T14:05', day: '2026-11-22' }).params).toEqual({
      people: [{ name: 'ก' }], starts_at: Date.UTC(2026, 10, 22, 7, 5) / 1000, ends: '2026-11-22T07:05:00.000Z', day: '2026-11-22',
    });
  });

  it.each<[FormValues, Record<string, string>]>([
    [{ people: [] }, { people: 'few' }],
    [{ people: [{ name: '', age: '' }] }, { 'people.0.name': 'required' }],
    [{ people: [{ name: 'กขคงจฉ', age: '-1' }] }, { 'people.0.name': 'long', 'people.0.age': 'min' }],
    [{ names: ['a', 'b', 'c'] }, { names: 'many' }],
    [{ names: ['a', ' '] }, { 'names.1': 'required' }],
    [{ level: '0' }, { level: 'min' }],
    [{ code: 'ab' }, { code: 'pattern' }],
    [{ ends: 'tomorrow' }, { ends: 'date' }],
    [{ sheet: 'more than ten' }, { sheet: 'big' }],
    [{ anything: '{' }, { anything: 'json' }],
    [{ owner: { name: '', age: '5' } }, { 'owner.name': 'required' }],
  ])('%j is told where it is wrong', (values, mistakes) => expect(parse(values).mistakes).toEqual(mistakes));
});

describe('times of another zone', () => {
  it.each(['Asia/Bangkok', 'UTC', 'Europe/Berlin', 'America/New_York'])('go there and back in %s', (zone) => {
    for (const text of ['2026-11-22T14:05', '2026-03-29T03:30', '2026-06-01T00:00']) expect(secondsToLocal(localToSeconds(text, zone)!, zone)).toBe(text);
  });

  it('are no times when they are not', () => {
    for (const text of ['', 'x', '2026-13-40T99:99', '2026-11-22']) expect(localToSeconds(text, 'UTC')).toBeNull();
  });
});

describe('a chosen file', () => {
  const file = (bytes: number[] | string) => new RealBlob([typeof bytes === 'string' ? bytes : new Uint8Array(bytes)]) as unknown as Blob;

  it('is read as text without its mark, or as base64', async () => {
    expect(await readFile(file('\ufeffกข,1'), false, 100)).toBe('กข,1');
    expect(await readFile(file([0, 255, 16]), true, 100)).toBe('AP8Q');
  });

  it('may be in the old Thai code page', async () => {
    expect(await readFile(file([0xa1, 0xa2]), false, 100)).toBe('กข');
  });

  it('is refused when it is too long', async () => {
    expect(await readFile(file('abc'), false, 2)).toBeNull();
    expect(await readFile(file([1, 2, 3, 4]), true, 4)).toBeNull();
  });
});

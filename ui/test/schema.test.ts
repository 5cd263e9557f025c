import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../src/lib/api';
import { parseForm as parse } from '../src/lib/form';
import { fieldsOf, initialValues, type FormValues } from '../src/lib/schema';

const ZONE = 'Asia/Bangkok';
const parseForm = (list: Parameters<typeof parse>[0], values: FormValues) => parse(list, values, ZONE);

// As pydantic writes it.
const schema: JsonSchema = {
  type: 'object',
  $defs: { Priority: { type: 'string', enum: ['critical', 'high'], title: 'Priority', description: 'how urgent' } },
  properties: {
    text: { type: 'string', minLength: 1, maxLength: 4000, title: 'Text' },
    plate: { type: 'string', maxLength: 8 },
    altitude_m: { type: 'number', exclusiveMinimum: 0, maximum: 90, default: 40 },
    minutes: { type: 'integer', minimum: 1, maximum: 480 },
    unit: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'Unit' },
    priority: { $ref: '#/$defs/Priority', default: 'high' },
    loud: { type: 'boolean', default: true },
    boxes: { type: 'array', items: { type: 'number' } },
  },
  required: ['text', 'minutes'],
};

const fields = fieldsOf(schema);
const kinds = Object.fromEntries(fields.map((field) => [field.key, field.kind]));

describe('a form from a schema', () => {
  it('knows each field', () => {
    expect(kinds).toEqual({
      text: 'long', plate: 'text', altitude_m: 'number', minutes: 'integer', unit: 'text', priority: 'choice', loud: 'boolean', boxes: 'list',
    });
    const priority = fields.find((field) => field.key === 'priority')!;
    expect(priority.options).toEqual(['critical', 'high']);
    expect(priority.description).toBe('how urgent');
    expect(fields.filter((field) => field.required).map((field) => field.key)).toEqual(['text', 'minutes']);
  });

  it('begins with the defaults', () => {
    expect(initialValues(fields)).toEqual({
      text: '', plate: '', altitude_m: '40', minutes: '', unit: '', priority: 'high', loud: true, boxes: [],
    });
  });

  it('gives the values in their types and leaves empty ones out', () => {
    const parsed = parseForm(fields, { ...initialValues(fields), text: 'ทะเลาะวิวาท', minutes: '30', boxes: ['1', '2'] });
    expect(parsed.mistakes).toEqual({});
    expect(parsed.params).toEqual({ text: 'ทะเลาะวิวาท', altitude_m: 40, minutes: 30, priority: 'high', loud: true, boxes: [1, 2] });
  });

  it.each([
    ['text', '   ', 'required'],
    ['plate', '123456789', 'long'],
    ['altitude_m', 'high', 'number'],
    ['altitude_m', '91', 'max'],
    ['minutes', '0', 'min'],
    ['minutes', '1.5', 'integer'],
    ['priority', 'huge', 'choice'],
  ])('%s = %j is a mistake: %s', (key, value, mistake) => {
    const good = { ...initialValues(fields), text: 'x', minutes: '5' };
    expect(parseForm(fields, { ...good, [key]: value }).mistakes).toEqual({ [key]: mistake });
  });

  it('does not follow a reference for ever', () => {
    const loop: JsonSchema = { $defs: { A: { $ref: '#/$defs/A' } }, properties: { a: { $ref: '#/$defs/A' } } };
    expect(fieldsOf(loop)[0]!.kind).toBe('json');
  });

  it('has no fields where there are no parameters', () => {
    expect(fieldsOf({ type: 'object' })).toEqual([]);
  });
});

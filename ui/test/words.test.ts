import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dictionaries, known, translate, type Key } from '../src/lib/words';

const keys = Object.keys(dictionaries.th) as Key[];
const blanks = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();

describe('the dictionary', () => {
  it('has the same keys in both languages', () => {
    expect(Object.keys(dictionaries.en).sort()).toEqual([...keys].sort());
    expect(keys.length).toBeGreaterThan(300);
  });

  it.each(keys)('%s has words and the same blanks in both', (key) => {
    const [th, en] = [dictionaries.th[key], dictionaries.en[key]];
    expect(th.trim()).not.toBe('');
    expect(en.trim()).not.toBe('');
    expect(blanks(en)).toEqual(blanks(th));
  });

  it('is Thai in Thai and not in English, except where each offers the other language', () => {
    const thai = /[\u0E00-\u0E7F]/;
    const inEnglish = keys.filter((key) => thai.test(dictionaries.en[key]) && !key.startsWith('lang.'));
    expect(inEnglish).toEqual(['hit.correctPlate']); // an example of a Thai plate
    const notThai = keys.filter((key) => !thai.test(dictionaries.th[key]) && !key.startsWith('lang.'));
    expect(notThai.sort()).toEqual(['alarm.count', 'health.mb', 'plugin.restarted']);
  });

  it('has words for each code that the hub refuses with', () => {
    const codes = [...readFileSync('../hub/core/error.py', 'utf8').matchAll(/^ {4}code(?:: ClassVar\[str\])? = "(\w+)"$/gm)].map(([, code]) => `error.${code}`);
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !keys.includes(code as Key))).toEqual([]);
  });

  it('fills blanks and leaves the unknown ones', () => {
    expect(translate('th', 'alarm.open', { n: 3 })).toBe('ยังไม่รับทราบ 3');
    expect(translate('en', 'alarm.open', { n: 3 })).toBe('3 unacknowledged');
    expect(translate('en', 'alarm.open')).toBe('{n} unacknowledged');
  });

  it('shows a word of the hub that it does not know as it is, but clean', () => {
    expect(known('th', 'unit.state', 'available')).toBe('ว่าง');
    expect(known('en', 'unit.state', 'resting')).toBe('resting');
    expect(known('en', 'unit.state', 'x\u202Ey')).toBe('xy');
    expect(known('en', 'constructor', 'name')).toBe('name');
  });
});

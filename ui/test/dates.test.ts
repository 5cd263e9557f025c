import { describe, expect, it } from 'vitest';
import { age, clock, countdown, date, dateTime, exactly, hourMinute, hourOf, weekday } from '../src/lib/dates';

// 2026-11-22 20:05:09 UTC is 23 November 2569, 03:05:09 in Bangkok.
const AT = Date.UTC(2026, 10, 22, 20, 5, 9) / 1000;
const ZONE = 'Asia/Bangkok';

describe('dates', () => {
  it('count years in the Buddhist era in both languages', () => {
    expect(date(AT, 'th', ZONE)).toBe('23 พ.ย. 2569');
    expect(date(AT, 'en', ZONE)).toBe('23 Nov 2569 BE');
    expect(dateTime(AT, 'th', ZONE)).toBe('23 พ.ย. 2569 03:05:09');
    expect(weekday(AT, 'th', ZONE)).toBe('วันจันทร์');
  });

  it('show 24 hours, midnight as 00', () => {
    expect(clock(AT, ZONE)).toBe('03:05:09');
    expect(hourMinute(AT + 12 * 3600, ZONE)).toBe('15:05');
    expect(clock(Date.UTC(2026, 0, 1, 17, 0, 0) / 1000, ZONE)).toBe('00:00:00');
    expect(hourOf(Date.UTC(2026, 0, 1, 17, 0, 0) / 1000, ZONE)).toBe(0);
  });

  it('follow the station, not the desk', () => {
    expect(clock(AT, 'UTC')).toBe('20:05:09');
    expect(date(AT, 'en', 'UTC')).toBe('22 Nov 2569 BE');
  });
});

describe('ages', () => {
  it('tell a wait to the second', () => {
    expect(exactly(45.4, 'th')).toBe('45 วิ');
    expect(exactly(65, 'th')).toBe('1 นาที 5 วิ');
    expect(exactly(3725, 'en')).toBe('1 h 2 min');
    expect(exactly(-3, 'en')).toBe('0 s');
  });

  it.each([
    [-5, '0 วิ', '0 s'],
    [59.9, '59 วิ', '59 s'],
    [60, '1 นาที', '1 min'],
    [3599, '59 นาที', '59 min'],
    [3600, '1 ชม.', '1 h'],
    [86_400, '1 วัน', '1 d'],
  ])('%d seconds', (seconds, th, en) => {
    expect(age(seconds, 'th')).toBe(th);
    expect(age(seconds, 'en')).toBe(en);
  });

  it('count down to zero and stop', () => {
    expect(countdown(60)).toBe('1:00');
    expect(countdown(41.2)).toBe('0:42');
    expect(countdown(-3)).toBe('0:00');
  });
});

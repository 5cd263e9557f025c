import { beforeEach, describe, expect, it } from 'vitest';
import { PATTERNS, REPEAT_MS, Siren, Speaker } from '../src/lib/sound';
import { ManualTimers } from './helpers';

let timers: ManualTimers;
let played: [string, number][];
let siren: Siren;

beforeEach(() => {
  timers = new ManualTimers();
  played = [];
  siren = new Siren((priority) => played.push([priority, timers.now]), timers);
});

describe('the siren', () => {
  it('sounds at once and again until acknowledged', () => {
    siren.update('critical');
    timers.pass(REPEAT_MS.critical * 3);
    expect(played).toEqual([0, 1, 2, 3].map((n) => ['critical', n * REPEAT_MS.critical]));
    siren.update(null);
    timers.pass(60_000);
    expect(played).toHaveLength(4);
  });

  it('does not begin anew when the same priority stays', () => {
    siren.update('high');
    timers.pass(1_000);
    siren.update('high');
    expect(played).toEqual([['high', 0]]);
    timers.pass(REPEAT_MS.high - 1_000);
    expect(played).toHaveLength(2);
  });

  it('lets a higher priority interrupt, and falls back to what is left', () => {
    siren.update('normal');
    timers.pass(500);
    siren.update('critical');
    siren.update('normal');
    expect(played).toEqual([['normal', 0], ['critical', 500], ['normal', 500]]);
    timers.pass(REPEAT_MS.critical);
    expect(played).toHaveLength(3);
  });

  it('is silent for information', () => {
    siren.update('info');
    timers.pass(60_000);
    expect(played).toEqual([]);
    expect(siren.sounding).toBeNull();
  });

  it('has patterns that end before they repeat and differ in their number of tones', () => {
    const counts = Object.entries(PATTERNS).map(([priority, tones]) => {
      const end = Math.max(...tones.map((tone) => tone.at + tone.length));
      expect(end * 1000).toBeLessThan(REPEAT_MS[priority as keyof typeof REPEAT_MS]);
      return tones.length;
    });
    expect(counts).toEqual([6, 2, 1]);
  });

  it('says so when the browser has no sound', async () => {
    const speaker = new Speaker();
    expect(await speaker.unlock()).toBe(false);
    expect(speaker.ready).toBe(false);
    speaker.play('critical'); // and nothing breaks
  });
});

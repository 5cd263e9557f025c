import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import HitReview from '../src/components/HitReview.svelte';
import { prefs } from '../src/lib/prefs.svelte';
import { state } from './helpers';

const NEAR = { plate: '1กญ1234', read_plate: '1กณ1234', match: 'near', confidence: 0.6, probability: 0.314, differs: ['ญ↔ณ'], alternatives: ['1กญ1234', '1กฌ1234'] };

let shown: Record<string, unknown> | null = null;

function text(attributes: Record<string, unknown>): string {
  const target = document.body.appendChild(document.createElement('div'));
  shown = mount(HitReview, { target, props: { hit: state('hit.a', 'pending', attributes) } });
  flushSync();
  return (target.textContent ?? '').replace(/\s+/g, ' ');
}

afterEach(async () => {
  if (shown) await unmount(shown);
  document.body.replaceChildren();
  prefs.lang = 'th';
});

describe('a hit', () => {
  it.each([
    ['th', 'อาจอ่านสลับตัวที่คล้ายกัน ญ↔ณ', 'โอกาสที่ภาพเป็นป้ายในบัญชี 31%', 'อาจอ่านได้เป็น: 1กญ1234 1กฌ1234'],
    ['en', 'may be taken for another ญ↔ณ', '31% likely that the picture shows the listed plate', 'Could also be read as: 1กญ1234 1กฌ1234'],
  ] as const)('says in %s how it matched and what else it may be', (lang, ...said) => {
    prefs.lang = lang;
    const words = text(NEAR);
    for (const part of said) expect(words).toContain(part);
  });

  it('that matches whole has nothing to explain', () => {
    const words = text({ plate: '1กข1', read_plate: '1กข1', match: 'exact', confidence: 1, differs: [], alternatives: [] });
    expect(words).toContain('ตรงทุกตัว');
    expect(words).not.toContain('อาจอ่านได้เป็น');
    expect(words).not.toContain('↔');
  });
});

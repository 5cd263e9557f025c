import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import DeadLetters from '../src/components/DeadLetters.svelte';
import { app } from '../src/lib/app.svelte';
import { live } from '../src/lib/live.svelte';
import { notices } from '../src/lib/notices.svelte';
import type { Outbox, OutboxEntry } from '../src/lib/outbox';
import { prefs } from '../src/lib/prefs.svelte';
import { HOSTILE, state } from './helpers';

const letter = (key: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  key, state: 'dead', action: 'light.turn_on', title: { th: 'เปิดไฟ', en: 'Turn on' }, right: 'light.control', target: 'light.a', tries: 5, at: 10,
  error: { code: 'unavailable', message: 'the lamp is away', where: '', hint: '' }, whole: true, ...more,
});

let asked: string[];
let outbox: Outbox;
let shown: Record<string, unknown> | null;

beforeEach(() => {
  [asked, shown] = [[], null];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push(`${init.method} ${path}`);
    const done = { key: 'k', status: 'done', result: null, error: null, ms: 1, confirmation: null };
    return new Response(JSON.stringify(init.method === 'GET' ? outbox : done), { status: 200 });
  });
  prefs.lang = 'en';
  notices.list = [];
  app.session = { user: 'a', roles: [], rights: ['event.read', 'light.control'], csrf: 't', expires: 0, purpose: null };
  live.store.reset({ type: 'state', seq: 1, states: [state('light.a', 'on', { name: { th: 'เสา 1', en: 'Lamp 1' } })], now: 70 });
});

afterEach(async () => {
  if (shown) await unmount(shown);
  document.body.replaceChildren();
  live.store.clear();
  vi.unstubAllGlobals();
});

async function show(given: Outbox): Promise<HTMLElement | null> {
  outbox = given;
  shown = mount(DeadLetters, { target: document.body });
  flushSync();
  await new Promise((done) => setTimeout(done, 0));
  await vi.waitFor(() => expect(asked.length).toBe(app.may('event.read') ? 1 : 0));
  await new Promise((done) => setTimeout(done, 0));
  flushSync();
  return document.querySelector('[data-testid="dead-letters"]');
}

const cells = (row: Element): string[] => [...row.querySelectorAll('td')].map((cell) => cell.textContent!.trim().replace(/\s+/g, ' '));

describe('dead letters', () => {
  it('are not spoken of while there are none', async () => {
    expect(await show({ waiting: 0, dead: 0, entries: [] })).toBeNull();
    expect(asked).toEqual(['GET /api/outbox?params=0']);
  });

  it('are not asked for without the right to events', async () => {
    app.session = { ...app.session!, rights: ['plugin.read'] };
    await show({ waiting: 0, dead: 1, entries: [letter('k')] });
    expect(asked).toEqual([]);
  });

  it('say what failed, where, why and how often, and who may sends one again', async () => {
    const entries = [letter('run:a/0:light.a'), letter('k2', { right: 'drone.dispatch' }), letter('k3', { whole: false }), letter('k4', { state: 'waiting' })];
    const section = (await show({ waiting: 1, dead: 3, entries }))!;
    expect(section.querySelector('h2')!.textContent).toContain('Actions that failed (3)');
    expect(section.textContent).toContain('1 are tried again by themselves');
    const rows = [...section.querySelectorAll('[data-testid="dead-letter"]')];
    expect(cells(rows[0]!).slice(0, 2)).toEqual(['Turn on', 'Lamp 1']);
    expect(cells(rows[0]!)[2]).toContain('the lamp is away');
    expect(cells(rows[0]!).slice(4)).toEqual(['5', 'Try again']);
    expect(rows.slice(1).map((row) => cells(row)[5])).toEqual(['', 'Too large to be kept: ask for it anew']);
    outbox = { waiting: 0, dead: 0, entries: [] };
    section.querySelector<HTMLButtonElement>('[data-testid="try-again"]')!.click();
    await vi.waitFor(() => expect(asked.slice(1)).toEqual(['POST /api/outbox/run%3Aa%2F0%3Alight.a/retry', 'GET /api/outbox?params=0']));
    await vi.waitFor(() => expect(document.querySelector('[data-testid="dead-letters"]')).toBeNull());
    expect(notices.list.map((notice) => [notice.good, notice.text])).toEqual([[true, expect.stringContaining('Turn on')]]);
  });

  it.each(Object.entries(HOSTILE))('are harmless: %s', async (_, evil) => {
    const section = (await show({ waiting: 0, dead: 1, entries: [letter('k', { title: { th: evil, en: evil }, target: evil, error: { code: evil, message: evil, where: evil, hint: evil } })] }))!;
    expect(section.querySelectorAll('img, script')).toHaveLength(0);
    expect(section.textContent).not.toMatch(/[\u0000-\u0008\u200b\u202a-\u202e\u2066-\u2069]/);
    expect(section.textContent!.length).toBeLessThan(1_500);
  });
});

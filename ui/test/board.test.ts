import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import AlarmList from '../src/components/AlarmList.svelte';
import Confirmations from '../src/components/Confirmations.svelte';
import NextStep from '../src/components/NextStep.svelte';
import Login from '../src/pages/Login.svelte';
import { app } from '../src/lib/app.svelte';
import { live } from '../src/lib/live.svelte';
import { prefs } from '../src/lib/prefs.svelte';
import { state } from './helpers';

interface Asked {
  method: string;
  path: string;
  body: unknown;
  csrf: string | undefined;
}

let asked: Asked[];
let answers: Record<string, { status: number; body: unknown }>;
let shown: Record<string, unknown>[];

const DONE = { key: 'k', status: 'done', result: null, error: null, ms: 1, confirmation: null };

function show<P extends Record<string, unknown>, E extends Record<string, unknown>>(component: Component<P, E>, props: P): E {
  const made = mount(component, { target: document.body, props });
  shown.push(made);
  flushSync();
  return made;
}

const byId = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
const press = (id: string, init: MouseEventInit = {}): void => {
  byId(id)!.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail: 1, ...init }));
  flushSync();
};
const settled = async (): Promise<void> => {
  await vi.waitFor(() => expect(pending).toBe(0));
  await Promise.resolve();
  flushSync();
};

let pending = 0;

beforeEach(() => {
  Element.prototype.scrollIntoView = () => {}; // jsdom has no layout
  [asked, answers, shown, pending] = [[], {}, [], 0];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    pending++;
    const headers = init.headers as Record<string, string>;
    asked.push({ method: init.method!, path, body: init.body ? JSON.parse(init.body as string) : undefined, csrf: headers['X-CSRF'] });
    const { status, body } = answers[path] ?? { status: 200, body: DONE };
    setTimeout(() => pending--, 0);
    return new Response(JSON.stringify(body), { status });
  });
  prefs.lang = 'th';
  app.session = { user: 'a', roles: [], rights: ['*.control', 'drone.dispatch'], csrf: 'token', expires: 0, purpose: null };
  app.api.csrf = 'token';
  app.actions = ['alarm.acknowledge', 'alarm.shelve', 'incident.acknowledge', 'incident.assign', 'incident.close'].map((name) => ({
    name, title: { th: name, en: name }, right: `${name.split('.')[0]}.control`, capability: name.split('.')[0]!, idempotent: true,
    dangerous: false, timeout: 1, params: {},
  }));
});

afterEach(async () => {
  for (const one of shown) await unmount(one);
  document.body.replaceChildren();
  live.store.clear();
  vi.unstubAllGlobals();
});

const put = (...states: ReturnType<typeof state>[]): void => {
  live.store.reset({ type: 'state', seq: 1, states, now: 0 });
  flushSync();
};

describe('a dangerous action', () => {
  const waiting = state('confirmation.run:1', 'pending', {
    action: 'drone.dispatch', title: { th: 'ส่งโดรน', en: 'Dispatch the drone' }, right: 'drone.dispatch', expires_at: Date.now() / 1000 + 42, actor: 'automation:x', params: {},
  });

  it('needs two presses; the first one asks for nothing', async () => {
    put(waiting);
    show(Confirmations, {});
    expect(byId('confirm-yes')!.textContent).toContain('ยืนยัน: ส่งโดรน');
    press('confirm-yes');
    expect(asked).toEqual([]);
    expect(byId('confirm-yes')).toBeNull();
    expect(document.activeElement).toBe(byId('confirm-sure'));
    press('confirm-sure');
    await settled();
    expect(asked).toEqual([{ method: 'POST', path: '/api/confirmations/run%3A1', body: { answer: 'yes' }, csrf: 'token' }]);
  });

  it('takes a double click and a key held down as one decision', () => {
    put(waiting);
    show(Confirmations, {});
    press('confirm-yes');
    press('confirm-sure', { detail: 2 });
    expect(asked).toEqual([]);
    const held = new KeyboardEvent('keydown', { key: 'Enter', repeat: true, bubbles: true, cancelable: true });
    byId('confirm-sure')!.dispatchEvent(held);
    expect(held.defaultPrevented).toBe(true);
  });

  it('is refused with one press', async () => {
    put(waiting);
    show(Confirmations, {});
    press('confirm-no');
    await settled();
    expect(asked[0]!.body).toEqual({ answer: 'no' });
  });

  it('shows no buttons to those who may not answer', () => {
    app.session = { ...app.session!, rights: ['drone.return'] };
    put(waiting);
    show(Confirmations, {});
    expect(byId('confirm-yes')).toBeNull();
    expect(byId('confirmation')!.textContent).toContain('drone.dispatch');
  });
});

describe('the next step of an incident', () => {
  it.each([
    ['open', {}, 'acknowledge', 'รับทราบเหตุ', { target: 'incident.1', params: {} }],
    ['acknowledged', { owner_officer: 'user:a' }, 'assign', 'มอบหมายสายตรวจที่ใกล้ที่สุด', { target: 'incident.1', params: {} }],
  ])('%s', async (value, attributes, step, words, body) => {
    show(NextStep, { incident: state('incident.1', value, attributes) });
    expect(byId('next-step')!.textContent).toContain(words);
    press('next-step');
    await settled();
    expect(asked).toEqual([{ method: 'POST', path: `/api/actions/incident.${step}`, body, csrf: 'token' }]);
  });

  it('assigned: closes with a result', async () => {
    show(NextStep, { incident: state('incident.1', 'assigned', { unit: 'unit.a', owner_officer: 'user:a' }) });
    press('next-step');
    expect(asked).toEqual([]);
    press('result-false_alarm');
    await settled();
    expect(asked[0]!.path).toBe('/api/actions/incident.close');
    expect(asked[0]!.body).toEqual({ target: 'incident.1', params: { result: 'false_alarm', note: '' } });
  });

  it('closed: nothing is left', () => {
    show(NextStep, { incident: state('incident.1', 'closed') });
    expect(byId('next-step')).toBeNull();
    expect(document.body.textContent).toContain('เหตุนี้ปิดแล้ว');
  });
});

describe('the alarm list by keys', () => {
  const alarms = ['a', 'b', 'c'].map((id, n) => state(`alarm.${id}`, 'unacknowledged', { priority: 'high', title: id, raised_at: 9 - n }));

  it('moves, acknowledges what is selected, and opens its incident', async () => {
    put(...alarms.slice(0, 2), { ...alarms[2]!, attributes: { ...alarms[2]!.attributes, incident: 'incident.7' } });
    const list = show(AlarmList, {});
    await list.move(1);
    await list.move(1);
    flushSync();
    expect(document.querySelector('[aria-current="true"]')!.getAttribute('data-entity')).toBe('alarm.b');
    list.acknowledge();
    await settled();
    expect(asked[0]).toMatchObject({ path: '/api/actions/alarm.acknowledge', body: { target: 'alarm.b', params: {} } });
    await list.move(1);
    await list.move(1);
    list.openSelected();
    expect(app.incident).toBe('incident.7');
  });

  it('keeps its selection when a more urgent alarm arrives', async () => {
    put(...alarms);
    const list = show(AlarmList, {});
    await list.move(1);
    put(...alarms, state('alarm.z', 'unacknowledged', { priority: 'critical', title: 'z', raised_at: 99 }));
    expect(document.querySelector('[data-testid="alarm-row"]')!.getAttribute('data-entity')).toBe('alarm.z');
    list.acknowledge();
    await settled();
    expect(asked[0]!.body).toMatchObject({ target: 'alarm.a' });
  });

  it('acknowledges nobody unseen: a folded row opens first', async () => {
    put(...Array.from({ length: 12 }, (_, n) => state(`alarm.f${n}`, 'unacknowledged', { priority: 'high', title: 'x', raised_at: n, place: 'p' })));
    const list = show(AlarmList, {});
    expect(document.querySelectorAll('[data-testid="alarm-row"]')).toHaveLength(1);
    list.acknowledge();
    flushSync();
    await settled();
    expect(asked).toEqual([]);
    expect(document.querySelectorAll('[data-testid="alarm-row"]')).toHaveLength(12);
  });

  it('renders a window of ten thousand', () => {
    put(...Array.from({ length: 10_000 }, (_, n) => state(`alarm.f${n}`, 'acknowledged', { priority: 'high', title: 'x', raised_at: n })));
    show(AlarmList, {});
    expect(document.querySelectorAll('[data-testid="alarm-row"]')).toHaveLength(60);
    expect(document.body.textContent).toContain('อีก 9940 รายการด้านล่าง');
  });
});

describe('signing in', () => {
  const demo = { demo: { user: 'demo', password: 'pw' }, station: { th: 'สภ.ทดสอบ', en: 'Test station' } };

  it('fills in the demo account only where the hub gives one', () => {
    app.loginPage = demo;
    show(Login, {});
    expect((byId('login-user') as HTMLInputElement).value).toBe('demo');
    expect(document.body.textContent).toContain('สภ.ทดสอบ');
  });

  it('has empty fields otherwise, and says the same for every wrong account', async () => {
    app.loginPage = { ...demo, demo: null };
    show(Login, {});
    expect((byId('login-user') as HTMLInputElement).value).toBe('');
    answers['/api/session'] = { status: 401, body: { error: { code: 'unauthenticated', message: 'no such user', where: '', hint: '' } } };
    app.session = null;
    document.querySelector('form')!.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
    await settled();
    await vi.waitFor(() => expect(document.querySelector('[role="alert"]')?.textContent).toContain('ไม่ถูกต้อง'));
    expect(document.body.textContent).not.toContain('no such user');
  });
});

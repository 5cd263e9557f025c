import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import PtzPad from '../src/components/live/PtzPad.svelte';
import { app } from '../src/lib/app.svelte';
import { live } from '../src/lib/live.svelte';
import { HOSTILE, state } from './helpers';

const spec = { title: { th: 'ก', en: 'a' }, right: 'camera.control', capability: 'ptz', idempotent: false, dangerous: false, timeout: 1, params: {} };

function show(attributes: Record<string, unknown>): { box: HTMLElement; end: () => void; call: ReturnType<typeof vi.spyOn> } {
  app.session = { user: 'a', roles: ['ccoc'], rights: ['camera.*'], csrf: '', expires: 0, purpose: null };
  app.actions = ['move', 'stop', 'goto_preset'].map((verb) => ({ ...spec, name: `ptz.${verb}` }));
  const outcome = { key: '', status: 'done' as const, result: null, error: null, ms: 1, confirmation: null };
  const call = vi.spyOn(app.api, 'call').mockResolvedValue(outcome);
  const box = document.createElement('div');
  document.body.append(box);
  const made = mount(PtzPad, { target: box, props: { camera: state('camera.a', 'idle', { capabilities: ['camera', 'ptz'], ...attributes }) } });
  flushSync();
  return { box, call, end: () => void unmount(made) };
}

const named = (box: HTMLElement, label: string): HTMLButtonElement => box.querySelector<HTMLButtonElement>(`[aria-label="${label}"]`)!;

afterEach(() => (document.body.innerHTML = ''));

describe('the pad that turns a camera', () => {
  it('turns only when unlocked, and stops always', () => {
    const { box, call, end } = show({});
    expect(named(box, 'หันซ้าย').disabled).toBe(true);
    expect(named(box, 'หยุด').disabled).toBe(false);
    box.querySelector<HTMLButtonElement>('[data-testid="ptz-lock"]')!.click();
    flushSync();
    named(box, 'หันซ้าย').click();
    expect(call).toHaveBeenCalledWith('ptz.move', 'camera.a', { pan: -0.5, tilt: 0, zoom: 0, seconds: 0.6 });
    named(box, 'เงยขึ้น').click();
    expect(call).toHaveBeenLastCalledWith('ptz.move', 'camera.a', { pan: 0, tilt: 0.5, zoom: 0, seconds: 0.6 });
    named(box, 'หยุด').click();
    expect(call).toHaveBeenLastCalledWith('ptz.stop', 'camera.a', {});
    end();
  });

  it('says who holds it, in plain letters, and only as long as they do', () => {
    const held = show({ ptz_by: `user:${HOSTILE.markup}`, ptz_until: live.now + 5 });
    expect(held.box.querySelector('img')).toBeNull();
    expect(held.box.textContent).toContain('กำลังควบคุมกล้อง');
    held.end();
    const over = show({ ptz_by: 'user:a', ptz_until: live.now - 1 });
    expect(over.box.textContent).not.toContain('กำลังควบคุมกล้อง');
    over.end();
  });

  it('is not there for who may not', () => {
    const { box, end } = show({});
    app.session = { ...app.session!, rights: ['camera.watch'] };
    flushSync();
    expect(box.querySelector('fieldset')).toBeNull();
    end();
  });
});

import { describe, expect, it } from 'vitest';
import { addressOf, entityOf, hasPtz, isGrid, ordered, pagesOf } from '../src/lib/live-video/cameras';
import { LiveFeed, SILENT_MS, type FeedSink, type LiveSocket, type Refusal } from '../src/lib/live-video/feed';
import { CHANGED, ENDED, liveUrl, parsePiece, parseText, SIGNED_OUT } from '../src/lib/live-video/protocol';
import { HOSTILE, ManualTimers, state } from './helpers';

class FakeSocket implements LiveSocket {
  binaryType = '';
  onopen = null;
  onmessage: ((message: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((end: { code: number; reason: string }) => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
  }
}

function piece(at: number, flags: number, ...data: number[]): ArrayBuffer {
  const message = new ArrayBuffer(9 + data.length);
  const view = new DataView(message);
  view.setFloat64(0, at);
  view.setUint8(8, flags);
  new Uint8Array(message, 9).set(data);
  return message;
}

function setUp(status = 0): { feed: LiveFeed; sockets: FakeSocket[]; timers: ManualTimers; said: string[] } {
  const sockets: FakeSocket[] = [];
  const timers = new ManualTimers();
  const said: string[] = [];
  const sink: FeedSink = {
    view: (view) => said.push(`view ${view.entity}`),
    header: (header) => said.push(`header ${header.kind}`),
    piece: ({ at, data }) => said.push(`piece ${at} ${[...data]}`),
    beat: (now) => said.push(`beat ${now}`),
    lost: () => said.push('lost'),
    refused: (why: Refusal) => said.push(`refused ${why.code} ${why.words}`),
  };
  const open = (): LiveSocket => {
    sockets.push(new FakeSocket());
    return sockets.at(-1)!;
  };
  const why = async (): Promise<{ status: number } & Refusal> => ({ status, code: 'denied', words: 'not yours' });
  return { feed: new LiveFeed(open, why, sink, timers, () => 0.5), sockets, timers, said };
}

const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

describe('what travels', () => {
  it('reads headers, beats and views, and passes over what is none', () => {
    expect(parseText('{"kind":"fmp4","codecs":"avc1.42c01e","width":640,"height":360}')).toEqual({
      type: 'header',
      header: { kind: 'fmp4', codecs: 'avc1.42c01e', width: 640, height: 360 },
    });
    expect(parseText('{"kind":"none","code":"h265","reason":"x"}')).toMatchObject({ header: { code: 'h265' } });
    expect(parseText('{"kind":"none","code":"toString"}')).toMatchObject({ header: { code: 'off', reason: '' } });
    expect(parseText('{"beat":12.5}')).toEqual({ type: 'beat', now: 12.5 });
    for (const bad of ['', 'null', '7', '[]', '{"kind":"film"}', '{"kind":"fmp4","codecs":"a\\"; x=\\"b"}', HOSTILE.markup]) {
      expect(parseText(bad)).toBeNull();
    }
  });

  it('reads pieces and passes over stumps', () => {
    expect(parsePiece(piece(100.5, 1, 7, 8))).toEqual({ at: 100.5, key: true, init: false, data: new Uint8Array([7, 8]) });
    expect(parsePiece(piece(0, 2))).toMatchObject({ init: true, key: false });
    expect(parsePiece(new ArrayBuffer(8))).toBeNull();
    expect(liveUrl({ protocol: 'https:', host: 'hub:8123' }, 'camera.a/b')).toBe('wss://hub:8123/api/live/camera.a%2Fb');
  });
});

describe('the connection', () => {
  it('passes on what comes in order', () => {
    const { feed, sockets, said } = setUp();
    feed.start();
    for (const data of ['{"view":{"entity":"camera.a","purpose":null,"since":1}}', '{"kind":"jpeg"}', piece(5, 1, 9), '{"beat":6}']) {
      sockets[0]!.onmessage!({ data });
    }
    expect(said).toEqual(['view camera.a', 'header jpeg', 'piece 5 9', 'beat 6']);
  });

  it('counts silence as lost and tries again with growing waits', async () => {
    const { feed, sockets, timers, said } = setUp();
    feed.start();
    sockets[0]!.onmessage!({ data: '{"beat":1}' });
    timers.pass(SILENT_MS - 1);
    expect(said).toEqual(['beat 1']);
    timers.pass(1);
    await settle();
    expect(said).toEqual(['beat 1', 'lost']);
    expect(sockets[0]!.closed).toBe(true);
    timers.pass(299);
    expect(sockets.length).toBe(1);
    timers.pass(1);
    expect(sockets.length).toBe(2);
    sockets[1]!.onclose!({ code: 1006, reason: '' });
    await settle();
    timers.pass(699);
    expect(sockets.length).toBe(2);
    timers.pass(1);
    expect(sockets.length).toBe(3);
    sockets[0]!.onmessage!({ data: '{"beat":99}' }); // an old socket says nothing any more
    expect(said.at(-1)).toBe('lost');
  });

  it('says why it may not and asks again later', async () => {
    const { feed, sockets, timers, said } = setUp(403);
    feed.start();
    sockets[0]!.onclose!({ code: 1006, reason: '' });
    await settle();
    expect(said).toEqual(['refused denied not yours']);
    timers.pass(19_999);
    expect(sockets.length).toBe(1);
    timers.pass(1);
    expect(sockets.length).toBe(2);
  });

  it('tells a revocation, begins anew with other rights, and stops when signed out', async () => {
    const { feed, sockets, timers, said } = setUp();
    feed.start();
    sockets[0]!.onmessage!({ data: '{"beat":1}' });
    sockets[0]!.onclose!({ code: CHANGED, reason: '' });
    timers.pass(50);
    expect(sockets.length).toBe(2);
    sockets[1]!.onclose!({ code: ENDED, reason: 'ยกเลิกการแบ่งปัน' });
    expect(said.at(-1)).toBe('refused ended ยกเลิกการแบ่งปัน');
    timers.pass(20_000);
    sockets[2]!.onclose!({ code: SIGNED_OUT, reason: '' });
    await settle();
    timers.pass(600_000);
    expect(sockets.length).toBe(3);
  });

  it('does nothing after its end', async () => {
    const { feed, sockets, timers } = setUp();
    feed.start();
    feed.stop();
    expect(sockets[0]!.closed).toBe(true);
    sockets[0]!.onclose!({ code: 1006, reason: '' });
    await settle();
    timers.pass(600_000);
    expect(sockets.length).toBe(1);
  });
});

describe('the page of cameras', () => {
  const cameras = ['b', 'a', 'c'].map((id) => state(`camera.${id}`, 'idle', { name: { th: id, en: id } }));

  it('orders by name, the chosen first', () => {
    expect(ordered(cameras, [], 'th').map(({ entity }) => entity)).toEqual(['camera.a', 'camera.b', 'camera.c']);
    expect(ordered(cameras, ['camera.c'], 'th').map(({ entity }) => entity)).toEqual(['camera.c', 'camera.a', 'camera.b']);
  });

  it('knows its addresses, pages and grids', () => {
    expect([entityOf(undefined), entityOf('gold'), entityOf('camera.gold'), addressOf('camera.gold')]).toEqual([null, 'camera.gold', 'camera.gold', '/cameras/gold']);
    expect([pagesOf(0, 4), pagesOf(4, 4), pagesOf(5, 4), pagesOf(17, 16)]).toEqual([1, 1, 2, 2]);
    expect([isGrid(9), isGrid(5), isGrid(NaN)]).toEqual([true, false, false]);
    expect(hasPtz(state('camera.a', 'idle', { capabilities: ['camera', 'ptz'] }))).toBe(true);
    expect(hasPtz(state('camera.a', 'idle', { capabilities: 'ptz' }))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { endedCalls, isMine, openCalls, placeOf, recordingsOf, ringsSince } from '../src/lib/call/calls';
import { MAX_WAITING, Upload } from '../src/lib/call/upload';
import { HOSTILE, state } from './helpers';

describe('the list of calls', () => {
  const calls = [
    state('call.a', 'talking', { started_at: 10 }),
    state('call.b', 'ringing', { started_at: 30 }),
    state('call.c', 'ringing', { started_at: 5, rings_since: 40 }),
    state('call.d', 'ended', { ended_at: 50 }),
    state('call.e', 'ended', { ended_at: 60 }),
  ];

  it('puts the longest wait on top, those that talk below, and the ended ones apart', () => {
    expect(openCalls(calls).map((call) => call.entity)).toEqual(['call.b', 'call.c', 'call.a']);
    expect(endedCalls(calls).map((call) => call.entity)).toEqual(['call.e', 'call.d']);
    expect(ringsSince(calls[2]!)).toBe(40);
  });

  it('knows whose call it is', () => {
    const mine = state('call.a', 'talking', { officer: 'user:noi' });
    expect([isMine(mine, 'noi'), isMine(mine, 'lek'), isMine(mine, undefined)]).toEqual([true, false, false]);
    expect(isMine(state('call.a', 'ended', { officer: 'user:noi' }), 'noi')).toBe(false);
  });

  it('names the place in both languages, and a hostile one harmlessly', () => {
    const sticker = state('sticker.gate', 'ready', { name: { th: 'ประตู', en: 'Gate' } });
    const call = state('call.a', 'ringing', { place: HOSTILE.backwards });
    expect([placeOf(call, sticker, 'th'), placeOf(call, sticker, 'en')]).toEqual(['ประตู', 'Gate']);
    expect(placeOf(call, undefined, 'th')).toBe('safegnp.exe');
  });

  it('plays what is a media id and nothing else', () => {
    const id = 'a'.repeat(64);
    expect(recordingsOf(state('call.a', 'ended', { recordings: [id, '../x', 7, `${id}0`] }))).toEqual([id]);
    expect(recordingsOf(state('call.a', 'ended'))).toEqual([]);
  });
});

class FakeSocket {
  readyState = 0;
  bufferedAmount = 0;
  sent: unknown[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  send = (data: unknown): number => this.sent.push(data);
  close = (): void => void (this.closed = true);
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
}

/** A second of a recording; its bytes come after ``ms``. */
function second(bytes: number[], ms = 0): Blob {
  const arrayBuffer = async (): Promise<ArrayBuffer> => {
    await new Promise((done) => setTimeout(done, ms));
    return new Uint8Array(bytes).buffer;
  };
  return { size: bytes.length, arrayBuffer } as unknown as Blob;
}

describe('the upload of a recording', () => {
  const told = (): { kept: number[]; lost: string[]; watch: { kept: (n: number) => void; lost: (why: string) => void } } => {
    const kept: number[] = [];
    const lost: string[] = [];
    return { kept, lost, watch: { kept: (n) => void kept.push(n), lost: (why) => void lost.push(why) } };
  };

  it('sends what it is first, then the seconds in order, then the end', async () => {
    const [socket, seen] = [new FakeSocket(), told()];
    const upload = new Upload(socket as unknown as WebSocket, 'video/webm', seen.watch);
    upload.add(second([1], 20)); // the first is read slower than the second
    upload.add(second([2, 3]));
    upload.end();
    await new Promise((done) => setTimeout(done, 60));
    socket.open();
    const words = socket.sent.map((one) => (typeof one === 'string' ? one : [...new Uint8Array(one as ArrayBuffer)]));
    expect(words).toEqual(['{"mime":"video/webm"}', [1], [2, 3], 'end']);
    socket.onmessage?.({ data: '{"kept": 3}' });
    socket.onclose?.({ reason: '' });
    expect([seen.kept, seen.lost, upload.size]).toEqual([[3], [], 3]);
  });

  it('says why it was lost, once', () => {
    const [socket, seen] = [new FakeSocket(), told()];
    new Upload(socket as unknown as WebSocket, 'video/webm', seen.watch);
    socket.open();
    socket.onclose?.({ reason: 'the disk is too full' });
    socket.onclose?.({ reason: 'again' });
    expect(seen.lost).toEqual(['the disk is too full']);
  });

  it('gives up when the link takes too little', async () => {
    const [socket, seen] = [new FakeSocket(), told()];
    const upload = new Upload(socket as unknown as WebSocket, 'video/webm', seen.watch);
    socket.open();
    socket.bufferedAmount = MAX_WAITING + 1;
    upload.add(second([1]));
    await new Promise((done) => setTimeout(done, 10));
    expect([seen.lost, socket.closed]).toEqual([['the link is too slow'], true]);
  });
});

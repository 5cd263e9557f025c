import { beforeEach, describe, expect, it } from 'vitest';
import { LOST_AFTER_MS, parseFrame, STEADY_MS, StreamClient, streamUrl, type EventsFrame, type Sink, type Socket } from '../src/lib/stream';
import { change, ManualTimers, state } from './helpers';

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: unknown[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

let timers: ManualTimers;
let sockets: FakeSocket[];
let heard: unknown[][];
let client: StreamClient;

const last = (): FakeSocket => sockets[sockets.length - 1]!;
const events = (from: number, to: number, ...seqs: number[]): EventsFrame => ({
  type: 'events',
  from,
  to,
  events: seqs.map((seq) => change(seq, `unit.u${seq}`, 'available')),
});
const whole = (seq: number) => ({ type: 'state', seq, states: [state('unit.a', 'busy')], now: 1000 });
const beat = { type: 'beat', seq: 0, now: 1001 };

beforeEach(() => {
  timers = new ManualTimers();
  sockets = [];
  heard = [];
  const sink: Sink = {
    state: (frame) => heard.push(['state', frame.seq]),
    events: (frame) => heard.push(['events', ...frame.events.map((one) => one.event.seq)]),
    coalesced: (frame) => heard.push(['coalesced', frame.seq]),
    beat: (now) => heard.push(['beat', now]),
    link: (link) => heard.push(['link', link]),
    closed: () => heard.push(['closed']),
  };
  const open = (): FakeSocket => {
    sockets.push(new FakeSocket());
    return last();
  };
  client = new StreamClient(open, sink, timers, () => 0.5);
  client.start();
  heard = [];
});

describe('the stream', () => {
  it('takes the state, then what follows it', () => {
    last().say(whole(10));
    last().say(events(11, 13, 11, 13));
    expect(heard).toEqual([['beat', 1000], ['state', 10], ['link', 'live'], ['events', 11, 13]]);
    expect(client.seq).toBe(13);
  });

  it('ignores events that come before the state', () => {
    last().say(events(1, 2, 1, 2));
    expect(heard).toEqual([]);
  });

  it('asks for the state at a gap and takes nothing until it has come', () => {
    last().say(whole(10));
    last().say(events(13, 14, 13, 14));
    last().say(events(15, 15, 15));
    expect(last().sent).toEqual([{ type: 'resync' }]);
    expect(heard).not.toContainEqual(['events', 13, 14]);
    expect(heard).not.toContainEqual(['events', 15]);
    last().say(whole(15));
    last().say(events(16, 16, 16));
    expect(heard.slice(-2)).toEqual([['state', 15], ['events', 16]]);
  });

  it('takes numbers missing inside a frame as events it may not see', () => {
    last().say(whole(10));
    last().say(events(11, 20, 12));
    last().say(events(21, 21, 21));
    expect(last().sent).toEqual([]);
    expect(client.seq).toBe(21);
  });

  it('takes nothing twice', () => {
    last().say(whole(10));
    last().say(events(9, 10, 9, 10));
    last().say(events(10, 12, 10, 11, 12));
    expect(heard.slice(3)).toEqual([['events', 11, 12]]);
  });

  it('goes on after a coalesced frame', () => {
    last().say(whole(10));
    last().say({ type: 'coalesced', seq: 500, states: [], removed: [] });
    last().say(events(501, 501, 501));
    expect(heard.slice(3)).toEqual([['coalesced', 500], ['events', 501]]);
  });

  it('tells how far it has come every 500 events', () => {
    last().say(whole(0));
    last().say(events(1, 499));
    expect(last().sent).toEqual([]);
    last().say(events(500, 500));
    expect(last().sent).toEqual([{ type: 'ack', seq: 500 }]);
  });

  it('survives garbage', () => {
    last().say(whole(10));
    last().onmessage?.({ data: '{' });
    last().onmessage?.({ data: '"x"' });
    last().onmessage?.({ data: 'null' });
    last().say({ type: 'surprise' });
    expect(client.seq).toBe(10);
    expect(parseFrame('[]')).toBeNull();
  });
});

describe('the link', () => {
  it('is lost within three seconds of silence on an open socket', () => {
    expect(LOST_AFTER_MS).toBeLessThan(3_000);
    last().say(whole(10));
    for (let second = 0; second < 5; second++) {
      timers.pass(1_000);
      last().say(beat);
    }
    expect(heard).not.toContainEqual(['link', 'lost']);
    timers.pass(LOST_AFTER_MS - 1);
    expect(heard).not.toContainEqual(['link', 'lost']);
    timers.pass(1);
    expect(heard.slice(-2)).toEqual([['link', 'lost'], ['closed']]);
    expect(sockets[0]!.closed).toBe(true);
  });

  it('is lost at once when the socket closes, and comes back by itself', () => {
    last().say(whole(10));
    last().onclose?.();
    expect(heard).toContainEqual(['link', 'lost']);
    timers.pass(250);
    expect(sockets).toHaveLength(2);
    last().say(whole(42));
    expect(heard.at(-1)).toEqual(['state', 42]);
    timers.pass(STEADY_MS);
    expect(heard.at(-1)).toEqual(['link', 'live']);
  });

  it('stays lost while it only flickers: a state and then silence again', () => {
    last().say(whole(10));
    last().onclose?.();
    for (let flicker = 0; flicker < 5; flicker++) {
      timers.pass(8_000);
      last().say(whole(20 + flicker));
      timers.pass(STEADY_MS - 1);
      last().onclose?.();
    }
    expect(heard.filter((one) => one[1] === 'live')).toHaveLength(1);
    expect(heard.filter((one) => one[1] === 'lost')).toHaveLength(1);
  });

  it('waits longer after each failure, then begins short again', () => {
    for (const wait of [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
      const before = sockets.length;
      last().onclose?.();
      timers.pass(wait - 1);
      expect(sockets).toHaveLength(before);
      timers.pass(1);
      expect(sockets).toHaveLength(before + 1);
    }
    last().say(whole(1));
    timers.pass(STEADY_MS);
    last().onclose?.();
    timers.pass(250);
    expect(sockets).toHaveLength(9);
  });

  it('does not listen to a socket that it has left', () => {
    last().say(whole(10));
    const old = last();
    timers.pass(LOST_AFTER_MS + 250);
    old.say(events(11, 11, 11));
    old.onclose?.();
    expect(client.seq).toBe(10);
    expect(sockets).toHaveLength(2);
  });

  it('reconnects at once when asked, and not after stop', () => {
    last().onclose?.();
    client.reconnect();
    expect(sockets).toHaveLength(2);
    client.stop();
    timers.pass(60_000);
    client.reconnect();
    expect(sockets).toHaveLength(2);
    expect(last().closed).toBe(true);
  });

  it('uses TLS where the page does', () => {
    expect(streamUrl({ protocol: 'https:', host: 'hub:8123' })).toBe('wss://hub:8123/api/stream');
    expect(streamUrl({ protocol: 'http:', host: 'hub' })).toBe('ws://hub/api/stream');
  });
});

/** The one call this desk has: it goes on while the officer looks at other pages. */

import type { State } from '../api';
import { app } from '../app.svelte';
import { str } from '../entity';
import { live } from '../live.svelte';
import { Peer } from './peer';
import { Recording } from './recording';

export type Phase = 'opening' | 'connecting' | 'talking' | 'lost' | 'link';

const BEAT_MS = 4_000;
const AGAIN_MS = 1_000;
const PICTURE_WITHIN_MS = 5_000;

interface Heard {
  t: string;
  n: number;
  sdp: RTCSessionDescriptionInit;
  c: RTCIceCandidateInit | null;
  ice: RTCConfiguration;
  record: boolean;
  link: 'up' | 'lost';
  why: string;
}

class DeskCall {
  /** The call's entity id; null when this desk has none. */
  entity = $state<string | null>(null);
  phase = $state<Phase>('opening');
  far = $state.raw<MediaStream | null>(null);
  local = $state.raw<MediaStream | null>(null);
  muted = $state(false);
  silenced = $state(false);
  kept = $state(0);
  recordFault = $state('');
  records = $state(true);
  refused = $state('');
  noMic = $state(false);
  /** Milliseconds from the press of the button to the caller's first frame. */
  connectMs = $state<number | null>(null);
  /** How the two browsers reach each other; null while it is not known. */
  relayed = $state<boolean | null>(null);
  #socket: WebSocket | null = null;
  #peer: Peer | null = null;
  #ice: RTCConfiguration = {};
  #beat = 0;
  #begun = 0;
  #late = 0;
  #speaker: HTMLAudioElement | null = null;
  #instance = '';
  readonly #recording = new Recording(() => this.#open(`recording?call=${this.entity ?? ''}`), {
    kept: (bytes) => {
      this.kept = bytes;
      this.recordFault = '';
    },
    fault: (why) => (this.recordFault = why),
  });

  /** Take the call and talk. */
  async answer(call: State): Promise<void> {
    const begun = performance.now();
    const outcome = await app.call('call.answer', call.entity);
    if (outcome?.status === 'done') await this.join(call, begun);
  }

  /** Talk in a call that this officer has already. */
  async join(call: State, begun = performance.now()): Promise<void> {
    this.leave();
    this.entity = call.entity;
    this.#instance = str(call, 'instance');
    this.#begun = begun;
    this.phase = 'opening';
    this.refused = this.recordFault = '';
    this.kept = 0;
    this.connectMs = this.relayed = null;
    await this.#openMicrophone();
    if (this.entity === call.entity) this.#connect();
  }

  async hangUp(): Promise<void> {
    if (this.entity) await app.call('call.end', this.entity);
    this.leave();
  }

  async transfer(to: string): Promise<void> {
    if (this.entity) await app.call('call.transfer', this.entity, { to });
  }

  async locate(): Promise<void> {
    if (this.entity) await app.call('call.locate', this.entity);
  }

  mute(): void {
    this.muted = !this.muted;
    for (const track of this.local?.getAudioTracks() ?? []) track.enabled = !this.muted;
  }

  silence(): void {
    this.silenced = !this.silenced;
    if (this.#speaker) this.#speaker.muted = this.silenced;
  }

  /** Show or hide our own picture; the connection is made anew with it. */
  async camera(on: boolean): Promise<void> {
    const local = this.local ?? new MediaStream();
    for (const track of local.getVideoTracks()) {
      track.stop();
      local.removeTrack(track);
    }
    if (on) {
      const got = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } }).catch(() => null);
      for (const track of got?.getVideoTracks() ?? []) local.addTrack(track);
    }
    this.local = new MediaStream(local.getTracks());
    this.#send('again', {});
  }

  leave(): void {
    window.clearInterval(this.#beat);
    window.clearTimeout(this.#late);
    this.#recording.stop();
    this.#peer?.close();
    this.#peer = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const track of this.local?.getTracks() ?? []) track.stop();
    if (this.#speaker) this.#speaker.srcObject = null;
    this.far = this.local = null;
    this.entity = null;
    this.muted = this.silenced = false;
  }

  async #openMicrophone(): Promise<void> {
    const both = { audio: true, video: { width: 640, height: 480, frameRate: 15 } };
    const media = navigator.mediaDevices;
    this.local = await media.getUserMedia(both).catch(() => media.getUserMedia({ audio: true }).catch(() => null));
    this.noMic = this.local === null;
  }

  #open(path: string): WebSocket {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    return new WebSocket(`${scheme}://${location.host}/plugin/${encodeURIComponent(this.#instance)}/${path}`);
  }

  #connect(): void {
    const socket = (this.#socket = this.#open('desk'));
    socket.onopen = () => this.#send('attach', { call: this.entity });
    socket.onmessage = (event) => void this.#hear(JSON.parse(String(event.data)) as Heard);
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#closed(event.reason);
    };
    window.clearInterval(this.#beat);
    this.#beat = window.setInterval(() => this.#send('here', {}), BEAT_MS);
  }

  #closed(reason: string): void {
    const call = this.entity ? live.store.get(this.entity) : undefined;
    if (call?.state !== 'talking' || /has this call|is over|newer window/.test(reason)) {
      this.leave();
      this.refused = reason;
      return;
    }
    this.phase = 'link';
    window.setTimeout(() => this.entity && this.#connect(), AGAIN_MS);
  }

  #send(kind: string, fields: Record<string, unknown>): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ t: kind, ...fields }));
  }

  async #hear(said: Heard): Promise<void> {
    if (said.t === 'attached') {
      this.#ice = said.ice;
      this.records = said.record;
      this.phase = said.link === 'up' ? 'connecting' : 'lost';
    } else if (said.t === 'peer') {
      this.phase = said.link === 'up' ? 'connecting' : 'lost';
      if (said.link === 'lost') this.#recording.stop(); // what was kept is kept; the next link begins a new piece
    } else if (said.t === 'offer') {
      this.#renew(said.n);
      await this.#peer?.offered(said.sdp).catch((fault: unknown) => (this.refused = String(fault)));
    } else if (said.t === 'ice') {
      if (this.#peer?.turn === said.n) this.#peer.candidate(said.c);
    } else if (said.t === 'ended' || said.t === 'released') {
      this.leave();
    }
  }

  #renew(turn: number): void {
    this.#recording.stop();
    this.#peer?.close();
    window.clearTimeout(this.#late);
    this.#peer = new Peer(this.#ice, turn, this.local, {
      send: (kind, fields) => this.#send(kind, fields),
      media: (stream) => this.#show(stream),
      picture: () => this.#pictured(),
      broken: () => this.#send('again', {}),
    });
    this.#late = window.setTimeout(() => this.#soundOnly(), PICTURE_WITHIN_MS);
  }

  #show(stream: MediaStream): void {
    this.far = stream;
    this.#speaker ??= new Audio();
    this.#speaker.srcObject = stream;
    this.#speaker.muted = this.silenced;
    void this.#speaker.play().catch(() => {}); // the press that answered has opened the sound
  }

  #pictured(): void {
    this.phase = 'talking';
    this.connectMs ??= performance.now() - this.#begun;
    window.clearTimeout(this.#late);
    void this.#peer?.ways().then((ways) => (this.relayed = ways.includes('relay')));
    this.#record(this.far?.getVideoTracks()[0] ?? null);
  }

  /** No picture came: what is heard is kept all the same, and the hub has raised its alarm. */
  #soundOnly(): void {
    if (this.far && !this.#recording.running) this.#record(null);
  }

  #record(picture: MediaStreamTrack | null): void {
    if (!this.records) return;
    this.#recording.start(picture, [this.far, this.local].filter((stream): stream is MediaStream => stream !== null));
  }
}

export const desk = new DeskCall();

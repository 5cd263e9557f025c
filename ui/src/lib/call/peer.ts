/** The officer's end of the connection between two browsers (WebRTC 1.0). The caller offers, this side answers. */

export interface PeerTold {
  send: (kind: string, fields: Record<string, unknown>) => void;
  media: (stream: MediaStream) => void;
  /** The first frame of the caller's picture has been decoded. */
  picture: () => void;
  /** The connection stopped; the hub is to begin a new one. */
  broken: () => void;
}

const LOOK_MS = 100;
const PATIENCE_MS = 4_000;

export class Peer {
  readonly #pc: RTCPeerConnection;
  readonly #turn: number;
  readonly #told: PeerTold;
  readonly #looking: number;
  #early: RTCIceCandidateInit[] = [];
  #patience = 0;

  constructor(ice: RTCConfiguration, turn: number, local: MediaStream | null, told: PeerTold) {
    this.#turn = turn;
    this.#told = told;
    this.#pc = new RTCPeerConnection(ice);
    for (const track of local?.getTracks() ?? []) this.#pc.addTrack(track, local!);
    this.#pc.ontrack = ({ streams }) => streams[0] && told.media(streams[0]);
    this.#pc.onicecandidate = ({ candidate }) => candidate && told.send('ice', { n: turn, c: candidate.toJSON() });
    this.#pc.oniceconnectionstatechange = () => this.#watch();
    this.#looking = window.setInterval(() => void this.#look(), LOOK_MS);
  }

  get turn(): number {
    return this.#turn;
  }

  async offered(description: RTCSessionDescriptionInit): Promise<void> {
    await this.#pc.setRemoteDescription(description);
    for (const one of this.#early.splice(0)) await this.#pc.addIceCandidate(one).catch(() => {});
    await this.#pc.setLocalDescription(await this.#pc.createAnswer());
    this.#told.send('answer', { n: this.#turn, sdp: this.#pc.localDescription?.toJSON() });
  }

  candidate(one: RTCIceCandidateInit | null): void {
    if (!one) return;
    if (!this.#pc.remoteDescription) this.#early.push(one);
    else void this.#pc.addIceCandidate(one).catch(() => {}); // one way fewer; others remain
  }

  close(): void {
    window.clearInterval(this.#looking);
    window.clearTimeout(this.#patience);
    this.#pc.oniceconnectionstatechange = null;
    this.#pc.close();
  }

  /** Over which kinds of addresses both ends are reached: host, srflx, prflx or relay. */
  async ways(): Promise<string[]> {
    const stats = [...(await this.#pc.getStats()).values()] as Record<string, unknown>[];
    const pair = stats.find((one) => one['type'] === 'candidate-pair' && one['nominated'] === true);
    const ends = [pair?.['localCandidateId'], pair?.['remoteCandidateId']];
    return ends.map((id) => String(stats.find((one) => one['id'] === id)?.['candidateType'] ?? ''));
  }

  #watch(): void {
    const state = this.#pc.iceConnectionState;
    window.clearTimeout(this.#patience);
    if (state === 'failed') this.#told.broken();
    // a short gap heals by itself
    else if (state === 'disconnected') this.#patience = window.setTimeout(() => this.#told.broken(), PATIENCE_MS);
  }

  async #look(): Promise<void> {
    const stats = await this.#pc.getStats();
    for (const one of stats.values() as Iterable<Record<string, unknown>>) {
      if (one['type'] === 'inbound-rtp' && one['kind'] === 'video' && Number(one['framesDecoded'] ?? 0) > 0) {
        window.clearInterval(this.#looking);
        this.#told.picture();
        return;
      }
    }
  }
}

/** Shares of private cameras: what docs/reference/api.md gives, and the words around it. Times are seconds since 1970 UTC. */

import type { Api, Words } from './api';
import type { Lang } from './text';
import { words } from './text';

export const KINDS = ['live', 'recorded', 'control'] as const;
export type Kind = (typeof KINDS)[number];
export type ShareState = 'active' | 'waiting' | 'ended' | 'revoked';

export interface Terms {
  cameras: string[];
  kinds: Kind[];
  to: string[];
  until: number;
  hours: [string, string] | null;
  purpose: string | null;
}

export interface Share extends Terms {
  id: string;
  since: number;
  by: string;
  made: number;
  note: string;
  ended: number | null;
  ended_by: string | null;
  state: ShareState;
}

export interface Wish extends Terms {
  id: string;
  owner: string;
  reason: string;
  by: string;
  made: number;
  state: 'waiting' | 'approved' | 'refused';
}

export interface Look {
  id: string;
  camera: string;
  who: string;
  roles: string[];
  kind: string;
  began: number;
  ended: number | null;
  purpose: string | null;
  share: string | null;
}

export interface OwnCamera {
  entity: string;
  state: string;
  updated: number;
  name?: Words;
  video?: string;
  video_reason?: string;
}

export interface Home {
  owner: string;
  roles: string[];
  cameras: OwnCamera[];
  shares: Share[];
  views: Look[];
  requests: Wish[];
}

export const home = (api: Api): Promise<Home> => api.request('GET', '/api/shares');
export const give = (api: Api, terms: Terms & { since: number | null; note: string }): Promise<Share> =>
  api.request('POST', '/api/shares', terms);
export const revoke = (api: Api, id: string): Promise<Share> => api.request('DELETE', `/api/shares/${encodeURIComponent(id)}`);
export const answer = (api: Api, id: string, yes: boolean): Promise<unknown> =>
  api.request('POST', `/api/share-requests/${encodeURIComponent(id)}`, { answer: yes ? 'yes' : 'no' });
export const ask = (api: Api, terms: Terms & { reason: string }): Promise<Wish> => api.request('POST', '/api/share-requests', terms);

export async function asked(api: Api): Promise<Wish[]> {
  return (await api.request<{ requests: Wish[] }>('GET', '/api/share-requests')).requests;
}

/** Those that hold now or will again: what the switch of a camera stands for. */
export function standing(shares: readonly Share[], camera: string): Share[] {
  return shares.filter((share) => share.cameras.includes(camera) && (share.state === 'active' || share.state === 'waiting'));
}

export function cameraName(cameras: readonly OwnCamera[], entity: string, lang: Lang): string {
  const found = cameras.find((camera) => camera.entity === entity);
  return words(found?.name, lang, 60) || entity;
}

/** Seconds until the end of the choice ``1h``, ``1d``, ``7d``, ``30d``. */
export const SPANS: Readonly<Record<string, number>> = { '1h': 3_600, '1d': 86_400, '7d': 604_800, '30d': 2_592_000 };

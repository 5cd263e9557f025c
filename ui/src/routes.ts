/** Every page of the screen, one line each: its address, its word in the menu, and who may open it. */

import type { Component } from 'svelte';
import { app } from './lib/app.svelte';
import { live } from './lib/live.svelte';
import type { Key } from './lib/words';

export interface Route {
  /** The first part of the address; the rest is given to the page as ``parts``. */
  name: string;
  /** Its word in the menu; without one it is reached from elsewhere. */
  menu?: Key;
  /** Loaded when first opened. */
  load: () => Promise<{ default: Component<any> }>; // a page takes ``parts`` or nothing
  /** May this officer open it? Everybody may when it does not say. */
  may?: () => boolean;
  /** Without the top bar and its buttons: a monitor on the wall, a window of its own. */
  bare?: boolean;
}

export const ROUTES: readonly Route[] = [
  { name: '', menu: 'nav.board', load: () => import('./pages/Board.svelte'), may: () => !owner() },
  { name: 'reports', menu: 'nav.inbox', load: () => import('./pages/Inbox.svelte'), may: () => live.list('report').length > 0 || app.actions.some((spec) => spec.capability === 'report') },
  { name: 'cameras', menu: 'nav.cameras', load: () => import('./pages/Cameras.svelte'), may: () => app.may('camera.watch') },
  { name: 'shares', menu: 'nav.shares', load: () => import('./pages/PartnerHome.svelte'), may: () => owner() || app.may('share.ask') },
  { name: 'wall', load: () => import('./pages/Wall.svelte'), bare: true },
  { name: 'calls', menu: 'nav.calls', load: () => import('./pages/Calls.svelte'), may: () => app.mayCall('call.answer') },
  { name: 'plugins', menu: 'nav.plugins', load: () => import('./pages/Plugins.svelte'), may: () => app.may('plugin.read') },
  { name: 'automations', menu: 'nav.automations', load: () => import('./pages/Automations.svelte'), may: () => app.may('automation.read') },
  { name: 'views', menu: 'nav.views', load: () => import('./pages/Views.svelte'), may: () => app.views.length > 0 },
];

/** Somebody who owns cameras and is no officer: their page is the first. */
function owner(): boolean {
  return app.may('share.manage');
}

export function routeOf(parts: readonly string[]): Route | undefined {
  const name = parts[0] ?? (owner() ? 'shares' : '');
  return ROUTES.find((route) => route.name === name);
}

/** What stands in this officer's menu. */
export function menuOf(): (Route & { menu: Key })[] {
  return ROUTES.filter((route): route is Route & { menu: Key } => route.menu !== undefined && (route.may?.() ?? true));
}

import type { State } from './api';
import { str } from './entity';
import { prefs } from './prefs.svelte';

/** What is wrong with a camera's view, in words with a sign before them; '' when nothing is. */
export function tamperOf(camera: State): string {
  if (camera.attributes['tampered'] !== true) return '';
  return `⚠ ${prefs.known('camera.tampered', str(camera, 'tampered_by', 20) || 'unknown')}`;
}

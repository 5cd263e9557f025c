/** Where a plugin's page stands among the pages: as its manifest says, else by the domains that its views show. */

import type { View } from './api';
import { compareNames, words, type Lang } from './text';

export const SECTIONS = ['cases', 'cameras', 'streets', 'patrol', 'people', 'station', 'technical'] as const;
export type Section = (typeof SECTIONS)[number];

const BY_DOMAIN = new Map<string, Section>([
  ['incident', 'cases'], ['alarm', 'cases'], ['hit', 'cases'], ['report', 'cases'], ['call', 'cases'], ['register', 'cases'],
  ['camera', 'cameras'], ['share', 'cameras'], ['recording', 'cameras'],
  ['light', 'streets'], ['lighting', 'streets'], ['risk_spot', 'streets'],
  ['unit', 'patrol'], ['drone', 'patrol'], ['checkpoint', 'patrol'], ['track', 'patrol'], ['radio', 'patrol'],
  ['partner', 'people'], ['promise', 'people'], ['meeting', 'people'], ['poll', 'people'], ['poll_cell', 'people'], ['form', 'people'], ['sticker', 'people'], ['notice', 'people'], ['line', 'people'],
  ['shift', 'station'], ['handover', 'station'], ['monthly_report', 'station'],
]);

export interface PluginPage {
  plugin: string;
  title: string;
  section: Section;
  views: View[];
  /** The views' titles, in one line. */
  holds: string;
}

/** One page per plugin, in the order of the sections and then of the names. */
export function pagesOf(views: readonly View[], lang: Lang): PluginPage[] {
  const groups = new Map<string, View[]>();
  for (const view of views) groups.set(view.plugin, [...(groups.get(view.plugin) ?? []), view]);
  const pages = [...groups].map(([plugin, own]): PluginPage => {
    const titles = [...new Set(own.map((view) => words(view.title, lang, 60)))];
    return { plugin, title: words(own[0]!.plugin_title ?? plugin, lang, 60), section: sectionOf(own), views: own, holds: titles.join(' · ') };
  });
  return pages.sort((a, b) => SECTIONS.indexOf(a.section) - SECTIONS.indexOf(b.section) || compareNames(a.title, b.title, lang));
}

function sectionOf(views: readonly View[]): Section {
  const said = views.find((view) => SECTIONS.includes(view.section as Section))?.section;
  if (said) return said as Section;
  for (const view of views) {
    const found = BY_DOMAIN.get(view.domain ?? '') ?? BY_DOMAIN.get((view.action ?? '').split('.')[0]!);
    if (found) return found;
  }
  return 'technical';
}

/** Pages that have all the words in their title or in those of their views, in either language. */
export function findPages(pages: readonly PluginPage[], text: string): PluginPage[] {
  const wanted = text.trim().toLocaleLowerCase('th').split(/\s+/u).filter(Boolean);
  const hay = (page: PluginPage): string =>
    [page.plugin, ...page.views.flatMap((view) => [view.plugin_title?.th, view.plugin_title?.en, view.title.th, view.title.en, view.domain])].join(' ').toLocaleLowerCase('th');
  return pages.filter((page) => wanted.every((word) => hay(page).includes(word)));
}

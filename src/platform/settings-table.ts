import { SETTINGS } from './config.js';

/** `docs/settings.md`: every setting with its default, from the rows that the settings are checked by. */
export function settingsTable(): string {
  const rows = SETTINGS.map(({ name, schema, about }) => {
    const fallback = (schema.describe() as { flags?: { default?: unknown } }).flags?.default;
    return `| \`${name}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${about.replaceAll('|', '\\|')} |`;
  });
  return [
    '# Settings',
    '',
    'All are environment variables; every one is checked at start, and an empty one counts as not set.',
    'This page is made by `node bin/switchboard.mjs settings-table`.',
    '',
    '| setting | default | what it does |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

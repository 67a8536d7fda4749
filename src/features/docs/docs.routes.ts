import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyRoute, Reply, route } from '../../http/route.js';
import { notFound } from '../../lib/errors.js';
import { PAGE, START } from './page.js';

/**
 * For these paths alone: the library's own files, its icons as `data:`, and requests to this server. Swagger UI sets
 * styles through the DOM, which no policy forbids.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SCRIPT = 'text/javascript; charset=utf-8';
/** What of the library is served, and as what. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': SCRIPT,
  'swagger-ui.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const OPEN = { method: 'get', tag: 'Operation', access: 'public' } as const;

/** `folder`: where the library's files are. */
export function docsRoutes(folder: string): AnyRoute[] {
  return [
    route({
      ...OPEN,
      path: '/docs/',
      summary: 'This document as a page',
      responses: { 200: { description: 'A page that needs nothing from the internet.', contentType: 'text/html' } },
      handle: () => new Reply(PAGE, { headers: headersOf('text/html; charset=utf-8') }),
    }),
    route<{ readonly file: string }>({
      ...OPEN,
      path: '/docs/:file',
      summary: 'A file of that page',
      responses: { 200: { description: 'The file.', contentType: 'text/javascript' } },
      handle({ params }) {
        if (params.file === 'start.js') return new Reply(START, { headers: headersOf(SCRIPT) });
        const type = Object.hasOwn(FILES, params.file) ? FILES[params.file] : undefined;
        if (type === undefined) throw notFound();
        const path = join(folder, params.file);
        const headers = { ...headersOf(type), 'Content-Length': String(statSync(path).size) };
        return new Reply(createReadStream(path), { headers });
      },
    }),
  ];
}

const headersOf = (type: string): Record<string, string> => ({
  'Content-Type': type,
  'Content-Security-Policy': POLICY,
  'Cache-Control': 'public, max-age=3600',
});

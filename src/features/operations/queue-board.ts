/**
 * bull-board over the queue, to look at and not to touch: only its reading routes are opened. The library wants an
 * adapter for a web framework; this one answers what a path shows, and the door sends it.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import type { AppControllerRoute, AppViewRoute, BullBoardQueues, IServerAdapter } from '@bull-board/api/dist/types.js';
import type { Queue } from 'bullmq';

export interface Shown {
  readonly status: number;
  /** Extension that names the type: `.html`. */
  readonly type: string;
  readonly body: string | Buffer;
}

export interface QueueBoard {
  /** `path` below the board's own; null: there is nothing. */
  show(path: string, query: Readonly<Record<string, unknown>>): Promise<Shown | null>;
}

interface Parts {
  queues: BullBoardQueues;
  views: string;
  statics: string;
  routes: readonly AppControllerRoute[];
  entry: AppViewRoute | null;
  fail(error: Error): { status?: number; body: unknown };
}

/** Loads the library at its first use. */
export async function openQueueBoard(basePath: string, queue: Queue): Promise<QueueBoard> {
  const { createBullBoard } = await import('@bull-board/api');
  const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
  const parts: Parts = {
    ...{ queues: new Map(), views: '', statics: '', routes: [], entry: null },
    fail: () => ({ status: 500, body: '' }),
  };
  createBullBoard({ queues: [new BullMQAdapter(queue, { readOnlyMode: true })], serverAdapter: collector(parts) });

  return {
    async show(path, query) {
      if (path.startsWith('/static/')) return showFile(parts.statics, path.slice('/static/'.length));
      const found = findRoute(parts.routes, path);
      if (found) return showAnswer(parts, { ...found, query });
      return path.startsWith('/api/') ? null : showPage(parts, basePath);
    },
  };
}

function collector(parts: Parts): IServerAdapter {
  const adapter: IServerAdapter = {
    setQueues: (queues) => keep({ queues }),
    setViewsPath: (views) => keep({ views }),
    setStaticPath: (_route, statics) => keep({ statics }),
    setEntryRoute: (entry) => keep({ entry }),
    setErrorHandler: (fail) => keep({ fail }),
    setApiRoutes: (routes) => keep({ routes }),
    setUIConfig: () => adapter,
  };
  function keep(some: Partial<Parts>): IServerAdapter {
    Object.assign(parts, some);
    return adapter;
  }
  return adapter;
}

interface Found {
  readonly route: AppControllerRoute;
  readonly params: Readonly<Record<string, string>>;
}

function findRoute(routes: readonly AppControllerRoute[], path: string): Found | null {
  for (const route of routes) {
    if (![route.method].flat().includes('get')) continue;
    for (const pattern of [route.route].flat()) {
      const names = [...pattern.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
      const match = new RegExp(`^${pattern.replaceAll(/:\w+/g, '([^/]+)')}/?$`).exec(path);
      if (match)
        return { route, params: Object.fromEntries(names.map((name, i) => [name, decode(match[i + 1] ?? '')])) };
    }
  }
  return null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function showAnswer(
  parts: Parts,
  { route, params, query }: Found & { readonly query: Readonly<Record<string, unknown>> },
): Promise<Shown> {
  const answer = await Promise.resolve(
    route.handler({ queues: parts.queues, uiConfig: {}, params, query, body: {}, headers: {} }),
  ).catch((error: Error) => parts.fail(error));
  return { status: answer.status ?? 200, type: '.json', body: JSON.stringify(answer.body) };
}

/** The page is a template of EJS that only puts in values. */
async function showPage({ entry, views }: Parts, basePath: string): Promise<Shown | null> {
  if (!entry) return null;
  const { name, params } = entry.handler({ basePath, uiConfig: {} });
  const template = await readFile(join(views, name), 'utf8');
  const body = template.replaceAll(/<%([=-])\s*(\w+)\s*%>/g, (_all, kind, value) =>
    kind === '=' ? escapeHtml(params[value] ?? '') : (params[value] ?? ''),
  );
  // Fonts from elsewhere are the one thing that the page would fetch from the internet.
  return { status: 200, type: '.html', body: body.replaceAll(/<link href="https:[^>]*>/g, '') };
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

async function showFile(folder: string, name: string): Promise<Shown | null> {
  const path = normalize(join(folder, decode(name)));
  if (!path.startsWith(normalize(folder) + sep)) return null;
  const body = await readFile(path).catch(() => null);
  return body && { status: 200, type: extname(path), body };
}

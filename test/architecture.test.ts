import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';

/**
 * The rules of docs/architecture.md that a tool can hold: floors, doors between features, no cycles, file size, one
 * reader of the environment, no default exports. A regular expression over the imports is enough for it.
 */
const ROOT = resolve('src');
const FLOORS = ['lib', 'platform', 'http', 'features'];
/** Top-level files (wire, main, cli…) and the programs beside the server stand above all floors. */
const TOP = FLOORS.length;
const MOST_LINES = 300;

/** Who may know whom among the features; `carriers` gives the vocabulary of signals, `events` is everybody's log. */
const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  accounts: [],
  'api-keys': ['accounts', 'tokens'],
  audit: [],
  calls: ['carriers', 'numbers', 'events'],
  carriers: [],
  docs: [],
  erasure: ['audit', 'calls', 'events', 'ingestion', 'numbers'],
  events: [],
  ingestion: ['carriers', 'calls', 'events', 'numbers'],
  live: ['events', 'calls', 'accounts'],
  numbers: ['carriers', 'events', 'accounts'],
  operations: [],
  porting: ['numbers', 'events', 'carriers'],
  reports: ['calls'],
  retention: ['accounts', 'calls'],
  tokens: ['accounts', 'audit', 'two-factor'],
  'two-factor': ['accounts'],
};

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /^(?:import|export)\b[^'"]*?from\s+['"](\.[^'"]+)['"]|^import\s+['"](\.[^'"]+)['"]/gm;

function sources(folder = ROOT): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    if (!entry.name.endsWith('.ts')) return [];
    const text = readFileSync(path, 'utf8');
    const imports = [...text.matchAll(IMPORT)].map((match) =>
      relative(ROOT, resolve(dirname(path), match[1] ?? match[2] ?? '')).replace(/\.js$/, '.ts'),
    );
    return [{ path: relative(ROOT, path), text, imports }];
  });
}

const floorOf = (path: string): number => {
  const place = FLOORS.indexOf(path.split('/')[0] ?? '');
  return place === -1 ? TOP : place;
};
const featureOf = (path: string): string | null => {
  const [floor, feature] = path.split('/');
  return floor === 'features' ? (feature ?? null) : null;
};

describe('the architecture', () => {
  const all = sources();

  it('lets no floor import a higher one', () => {
    const wrong = all.flatMap(({ path, imports }) =>
      imports.filter((target) => floorOf(target) > floorOf(path)).map((target) => `${path} -> ${target}`),
    );

    expect(all).to.have.length.above(50);
    expect(wrong).to.deep.equal([]);
  });

  it('lets a feature know only its neighbours, and those through their index', () => {
    const wrong = all.flatMap(({ path, imports }) => {
      const feature = featureOf(path);
      if (feature === null) return [];
      return imports
        .filter((target) => {
          const other = featureOf(target);
          if (other === null || other === feature) return false;
          return !NEIGHBOURS[feature]?.includes(other) || !target.endsWith('/index.ts');
        })
        .map((target) => `${path} -> ${target}`);
    });

    expect(wrong).to.deep.equal([]);
  });

  it('has no circle among the features', () => {
    const edges = new Map<string, Set<string>>();
    for (const { path, imports } of all) {
      const [from, targets] = [featureOf(path), imports.map(featureOf)];
      if (from === null) continue;
      for (const to of targets) if (to !== null && to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
    const circles: string[] = [];
    const walk = (feature: string, trail: readonly string[]): void => {
      if (trail.includes(feature)) circles.push([...trail, feature].join(' -> '));
      else for (const next of edges.get(feature) ?? []) walk(next, [...trail, feature]);
    };
    for (const feature of edges.keys()) walk(feature, []);

    expect(circles).to.deep.equal([]);
  });

  it('keeps every file within its size', () => {
    const long = all
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES);

    expect(long).to.deep.equal([]);
  });

  it('reads the environment in one file of the server', () => {
    const readers = all
      .filter(({ path, text }) => !path.startsWith('simulator/') && text.includes('process.env'))
      .map(({ path }) => path);

    // The second hands PATH and the loader's paths on to PostgreSQL, and reads no setting.
    expect(readers.sort()).to.deep.equal(['platform/config.ts', 'platform/db/embedded-binaries.ts']);
  });

  it('has named exports only', () => {
    const wrong = all.filter(({ text }) => /^export default\b/m.test(text)).map(({ path }) => path);

    expect(wrong).to.deep.equal([]);
  });
});

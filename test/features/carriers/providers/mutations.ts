import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';

/** Webhooks spoiled by chance, the same ones in every run. */

/** mulberry32: the same numbers for the same seed, everywhere. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SPLINTERS = [
  'null',
  '{}',
  '[]',
  '""',
  '%',
  '%zz',
  '\u0000',
  '\ud800',
  '1e999',
  '-1',
  '&',
  '=',
  '__proto__',
  '\xff',
];

function mutateBytes(body: Buffer, random: (below: number) => number): Buffer {
  const at = random(body.length + 1);
  switch (random(5)) {
    case 0:
      return body.subarray(0, at);
    case 1:
      return Buffer.concat([
        body.subarray(0, at),
        Buffer.from(SPLINTERS[random(SPLINTERS.length)] ?? ''),
        body.subarray(at),
      ]);
    case 2:
      return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + random(12)))]);
    case 3:
      return Buffer.concat([body, body.subarray(at)]);
    default: {
      const copy = Buffer.from(body);
      if (copy.length > 0) copy[at % copy.length] = random(256);
      return copy;
    }
  }
}

const ODD_VALUES: readonly unknown[] = [
  null,
  [],
  {},
  [1],
  { a: 1 },
  '',
  'x',
  -1,
  1e308,
  true,
  '999999999999999999999',
  '\u0000',
];

/** Puts an odd value in the place of a random member, at any depth. */
function mutateJson(value: unknown, random: (below: number) => number): unknown {
  if (typeof value !== 'object' || value === null || random(4) === 0) return ODD_VALUES[random(ODD_VALUES.length)];
  const names = Object.keys(value);
  if (names.length === 0) return ODD_VALUES[random(ODD_VALUES.length)];
  const name = names[random(names.length)] ?? '';
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  if (random(5) === 0) delete copy[name];
  else copy[name] = mutateJson(copy[name], random);
  return copy;
}

function mutateForm(text: string, random: (below: number) => number): string {
  const pairs = text.split('&');
  const at = random(pairs.length);
  const name = pairs[at]?.split('=')[0] ?? '';
  const value = String(ODD_VALUES[random(ODD_VALUES.length)]);
  pairs[at] = random(4) === 0 ? '' : `${name}=${encodeURIComponent(value)}`;
  return pairs.filter((pair) => pair !== '').join('&');
}

export function mutate(request: WebhookRequest, random: (below: number) => number): WebhookRequest {
  const text = request.body.toString('utf8');
  if (random(2) === 0) return { ...request, body: mutateBytes(request.body, random) };
  if (!/^\s*[{[]/.test(text)) return { ...request, body: Buffer.from(mutateForm(text, random)) };
  return { ...request, body: Buffer.from(JSON.stringify(mutateJson(JSON.parse(text), random)) ?? 'null') };
}

/** A header each time missing, empty or full of nonsense. */
export function mutateHeaders(request: WebhookRequest, random: (below: number) => number): WebhookRequest {
  const names = Object.keys(request.headers);
  const name = names[random(names.length)] ?? 'x';
  const values = [
    '',
    ',',
    '=',
    't=',
    't=,v1=',
    'v1,',
    'Basic',
    'Basic !',
    'Bearer a.b.c',
    'Bearer ..',
    '\u00ff',
    ' ',
    '1'.repeat(400),
  ];
  const headers = { ...request.headers, [name]: values[random(values.length)] ?? '' };
  if (random(4) === 0) delete (headers as Record<string, string>)[name];
  return { ...request, headers };
}

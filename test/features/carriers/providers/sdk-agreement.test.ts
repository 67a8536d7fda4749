import { expect } from 'chai';
import { validateV3Signature } from 'plivo';
import { Webhook } from 'standardwebhooks';
import twilioSdk from 'twilio';
import type { WebhookRequest } from '../../../../src/features/carriers/provider.js';
import { generic } from '../../../../src/features/carriers/providers/generic.js';
import { plivo } from '../../../../src/features/carriers/providers/plivo.js';
import { twilio } from '../../../../src/features/carriers/providers/twilio.js';
import { SIGNERS } from '../../ingestion/signing.js';
import { createRandom } from './mutations.js';
import { FORM, JSON_TYPE } from './samples.js';

/** The providers' own verifiers beside ours, over webhooks made by chance: what one takes the other takes. */

const ROUNDS = 500;

const NAMES = ['CallSid', 'From', 'a', 'A', 'B', 'x y', 'ë', '_', "it's", 'a[]'];
const VALUES = [
  '',
  '+12025550143',
  'Zoë ✓',
  'a b',
  'a+b',
  '100%',
  '%41',
  '&=',
  "O'Neil",
  '"q"',
  '😀',
  'x\ny',
  '~-_.!*()',
];
const HOSTS = [
  'https://sb.example.test',
  'https://sb.example.test:443',
  'https://sb.example.test:8443',
  'http://sb.example.test',
];
const PATHS = [
  '/webhooks/1/',
  '/webhooks/1',
  '/webhooks/1/status',
  '/webhooks/1/st%20atus',
  "/webhooks/1/it's",
  '/base/webhooks/1//x',
];
const QUERIES = [
  '',
  '?',
  '?b=2&a=1',
  '?a=2&a=1&a=2',
  '?x=%2B1&y=a+b',
  '?e=&f',
  '?n=Zo%C3%AB',
  "?q='x'",
  '?q=%27x%27',
  '?a=b=c',
];

type Random = (below: number) => number;
const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

/** A text as a form may hold it: a space as `+` or `%20`, an apostrophe bare or not. */
function encode(text: string, random: Random): string {
  const encoded = encodeURIComponent(text);
  return pick([encoded, encoded.replaceAll('%20', '+'), encoded.replaceAll("'", '%27')], random);
}

function formOf(random: Random): string {
  const pairs = Array.from({ length: random(7) }, () => [pick(NAMES, random), pick(VALUES, random)] as const);
  return pairs.map(([name, value]) => `${encode(name, random)}=${encode(value, random)}`).join('&');
}

const urlOf = (random: Random): string => pick(HOSTS, random) + pick(PATHS, random) + pick(QUERIES, random);

/** What a proxy or a careless setting makes of a URL; mostly nothing. */
function received(url: string, random: Random): string {
  const changes = [
    url.replace(':443', ''),
    url.replace(/^(https:\/\/[^/:]+)\//, '$1:443/'),
    url.replace('https', 'http'),
    url.replace(':8443', ''),
    url.replaceAll('%27', "'"),
    `${url}/`,
    `${url}&z=1`,
  ];
  return random(2) === 0 ? url : pick(changes, random);
}

function membersOf(form: string): Record<string, string | string[]> {
  const members: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(form)) {
    const known = members[name];
    members[name] = known === undefined ? value : [known, value].flat();
  }
  return members;
}

const requestOf = (url: string, headers: Record<string, string>, body: string): WebhookRequest => ({
  ...{ method: 'POST', url, path: url, headers },
  body: Buffer.from(body),
});

const signerOf = (provider: string) => {
  const signer = SIGNERS[provider]?.();
  if (!signer) throw new Error(`Nothing signs for ${provider}.`);
  const [secret = ''] = Object.values(signer.credentials);
  return { signer, secret };
};

interface Trial {
  readonly sdk: boolean;
  readonly ours: boolean;
  readonly of: unknown;
}

function expectAgreement(trials: readonly Trial[]): void {
  for (const { sdk, ours, of } of trials) expect(ours, JSON.stringify(of)).to.equal(sdk);
  expect(new Set(trials.map(({ sdk }) => sdk)).size, 'both outcomes were tried').to.equal(2);
}

const trialsOf = (seed: number, trial: (random: Random) => Trial): readonly Trial[] => {
  const random = createRandom(seed);
  return Array.from({ length: ROUNDS }, () => trial(random));
};

describe(`the verifiers, over ${ROUNDS} webhooks made by chance`, () => {
  it('agree with the SDK of Twilio', () => {
    const { signer, secret } = signerOf('twilio');

    const trials = trialsOf(1, (random) => {
      const [signedUrl, form] = [urlOf(random), formOf(random)];
      const url = received(signedUrl, random);
      const headers = signer.sign({ url: signedUrl, contentType: '', body: Buffer.from(form), at: 0 });
      const sdk = twilioSdk.validateRequest(secret, headers['x-twilio-signature'] ?? '', url, membersOf(form));
      const ours = twilio.verify(requestOf(url, { ...FORM, ...headers }, form), { auth_token: [secret] }, 0).ok;
      return { sdk, ours, of: { signedUrl, url, form } };
    });

    expectAgreement(trials);
  });

  it('agree with the SDK of Plivo', () => {
    const { signer, secret } = signerOf('plivo');

    const trials = trialsOf(2, (random) => {
      const [signedUrl, form] = [urlOf(random), formOf(random)];
      const url = received(signedUrl, random);
      const headers = signer.sign({ url: signedUrl, contentType: '', body: Buffer.from(form), at: 0 });
      const [nonce = '', signature = ''] = ['-nonce', ''].map((end) => headers[`x-plivo-signature-v3${end}`]);
      const sdk = validateV3Signature('POST', url, nonce, secret, signature, membersOf(form)).valueOf();
      const ours = plivo.verify(requestOf(url, { ...FORM, ...headers }, form), { auth_token: [secret] }, 0).ok;
      return { sdk, ours, of: { signedUrl, url, form } };
    });

    expectAgreement(trials);
  });

  it('agree with the library of Standard Webhooks', () => {
    const { signer, secret } = signerOf('generic');
    const library = new Webhook(secret);
    const isRight = (body: string, headers: Record<string, string>): boolean => {
      try {
        library.verify(body, headers, { jsonParse: false });
        return true;
      } catch {
        return false;
      }
    };

    const trials = trialsOf(3, (random) => {
      const body = JSON.stringify({ a: pick(VALUES, random), b: pick(VALUES, random) });
      const at = Date.now() + 1000 * pick([0, 0, 0, -299, 299, -310, 310], random);
      const right = signer.sign({ url: '', contentType: '', body: Buffer.from(body), at });
      const signature = right['webhook-signature'] ?? '';
      const list = pick(
        [signature, `v1,AAAA ${signature}`, `${signature} v2,x`, signature.replace('v1', 'v2')],
        random,
      );
      const headers = { ...right, 'webhook-signature': list };
      const sent = pick([body, body, body.replace('a', 'c')], random);
      const ours = generic.verify(
        requestOf('/', { ...JSON_TYPE, ...headers }, sent),
        { secret: [secret] },
        Date.now(),
      ).ok;
      return { sdk: isRight(sent, headers), ours, of: { sent, headers } };
    });

    expectAgreement(trials);
  });
});

/** Signs webhooks as the providers do, written from their descriptions and not from the adapters. */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import { parse as parseQuery } from 'node:querystring';
import jwt from 'jsonwebtoken';
import { Webhook } from 'standardwebhooks';
import twilioSdk from 'twilio';

export interface Unsigned {
  readonly url: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** When the provider signs, ms since 1970. */
  readonly at: number;
}

export interface Signer {
  readonly credentials: Readonly<Record<string, string>>;
  sign(webhook: Unsigned): Record<string, string>;
}

const seconds = (at: number): number => Math.floor(at / 1000);
const token = (): string => randomBytes(16).toString('hex');
const hmac = (algorithm: string, key: string | Buffer, text: string | Buffer) =>
  createHmac(algorithm, key).update(text);
const basic = (username: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});

type Pair = readonly [name: string, value: string];

/** All pairs of a form, repeated names too. */
function pairsOf(body: Buffer): Pair[] {
  const members = parseQuery(body.toString('utf8'), '&', '=', { maxKeys: 0 });
  return Object.entries(members).flatMap(([name, value]) => [value ?? ''].flat().map((one): Pair => [name, one]));
}

const byName = ([a]: Pair, [b]: Pair): number => Number(a > b) - Number(a < b);
const byNameAndValue = (a: Pair, b: Pair): number => byName(a, b) || Number(a[1] > b[1]) - Number(a[1] < b[1]);
const joined = (pairs: readonly Pair[]): string => pairs.map(([name, value]) => name + value).join('');

function twilio(): Signer {
  const secret = token();
  return {
    credentials: { auth_token: secret },
    sign: ({ url, body }) => ({
      'x-twilio-signature': twilioSdk.getExpectedTwilioSignature(secret, url, {
        ...parseQuery(body.toString('utf8'), '&', '=', { maxKeys: 0 }),
      }),
    }),
  };
}

function telnyx(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'jwk' }).x ?? '';
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return {
    credentials: { public_key: Buffer.from(raw, 'base64url').toString('base64') },
    sign({ body, at }) {
      const message = Buffer.concat([Buffer.from(`${seconds(at)}|`), body]);
      return {
        'telnyx-timestamp': String(seconds(at)),
        'telnyx-signature-ed25519': sign(null, message, key).toString('base64'),
      };
    },
  };
}

function vonage(): Signer {
  const secret = token() + token();
  const key = createSecretKey(Buffer.from(secret));
  return {
    credentials: { signature_secret: secret },
    sign({ body, at }) {
      const payload_hash = createHash('sha256').update(body).digest('hex');
      const claims = { iat: seconds(at), jti: token(), iss: 'Vonage', payload_hash, api_key: 'abcd1234' };
      return { authorization: `Bearer ${jwt.sign(claims, key, { algorithm: 'HS256' })}` };
    },
  };
}

function plivo(): Signer {
  const secret = token();
  return {
    credentials: { auth_token: secret },
    sign({ url, body }) {
      const [base, query = ''] = url.split('?');
      const nonce = token();
      const inQuery = pairsOf(Buffer.from(query)).sort(byNameAndValue);
      const asked = inQuery.map(([name, value]) => `${name}=${value}`).join('&');
      const form = pairsOf(body).sort(byNameAndValue);
      const mark = asked !== '' || form.length > 0 ? '?' : '';
      const dot = asked !== '' && form.length > 0 ? '.' : '';
      const text = `${base}${mark}${asked}${dot}${joined(form)}.${nonce}`;
      return {
        'x-plivo-signature-v3': hmac('sha256', secret, text).digest('base64'),
        'x-plivo-signature-v3-nonce': nonce,
      };
    },
  };
}

function signalwire(): Signer {
  const key = `PSK_${token()}`;
  return {
    credentials: { signing_key: key },
    sign({ url, body, contentType }) {
      if (contentType.includes('json')) {
        const mac = createHmac('sha1', key).update(url).update(body);
        return { 'x-signalwire-signature': mac.digest('hex') };
      }
      const text = url + joined(pairsOf(body).sort(byName));
      return { 'x-signalwire-signature': hmac('sha1', key, text).digest('base64') };
    },
  };
}

function jambonz(): Signer {
  const secret = `wh_secret_${token()}`;
  return {
    credentials: { webhook_secret: secret },
    sign({ body, at }) {
      const text = Buffer.concat([Buffer.from(`${seconds(at)}.`), body]);
      return { 'jambonz-signature': `t=${seconds(at)},v1=${hmac('sha256', secret, text).digest('hex')}` };
    },
  };
}

function bandwidth(): Signer {
  const [username, password] = [token(), token()];
  return { credentials: { username, password }, sign: () => basic(username, password) };
}

function sinch(): Signer {
  const secret = randomBytes(16).toString('base64');
  const key = '669e367e-6bba-48ab-af15-266871c28135';
  return {
    credentials: { application_key: key, application_secret: secret },
    sign({ url, body, contentType, at }) {
      const timestamp = new Date(at).toISOString();
      const hash = createHash('md5').update(body).digest('base64');
      const text = ['POST', hash, contentType, `x-timestamp:${timestamp}`, new URL(url).pathname].join('\n');
      const signature = hmac('sha256', Buffer.from(secret, 'base64'), text).digest('base64');
      return { 'x-timestamp': timestamp, authorization: `application ${key}:${signature}` };
    },
  };
}

function generic(): Signer {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  return {
    credentials: { secret },
    sign({ body, at }) {
      const id = `msg_${token()}`;
      return {
        'webhook-id': id,
        'webhook-timestamp': String(seconds(at)),
        'webhook-signature': new Webhook(secret).sign(id, new Date(at), body.toString('utf8')),
      };
    },
  };
}

export const SIGNERS: Readonly<Record<string, () => Signer>> = {
  twilio,
  telnyx,
  vonage,
  plivo,
  signalwire,
  jambonz,
  bandwidth,
  sinch,
  freeswitch: bandwidth,
  generic,
};

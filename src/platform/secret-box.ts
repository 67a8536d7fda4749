import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encryption at rest: AES-256-GCM, a fresh nonce a text, bound to the place where the text is stored. */
export interface SecretBox {
  /** `place` names the row and column, so that a stolen ciphertext is worth nothing elsewhere. */
  seal(plain: string, place: string): string;
  /** @throws Error when neither the present nor the previous key opens it. */
  open(sealed: string, place: string): string;
  /** Whether it was sealed with the previous key, and should be sealed anew. */
  isStale(sealed: string): boolean;
  /** Whether the key of this id, the second part of a sealed text, is at hand. */
  hasKey(id: string): boolean;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

function deriveKey(text: string): Key {
  const bytes = Buffer.from(hkdfSync('sha256', text, 'switchboard', 'credentials', 32));
  const id = Buffer.from(hkdfSync('sha256', text, 'switchboard', 'key id', 6)).toString('base64url');
  return { id, bytes };
}

const CIPHER = 'aes-256-gcm';
/** Said when opening as well: a shorter tag would be taken, and is soon guessed. */
const TAG = { authTagLength: 16 };

/** Sealed form: `v1.<key id>.<nonce>.<tag>.<ciphertext>`, base64url. */
export function createSecretBox(key: string, previous: string | null): SecretBox {
  const present = deriveKey(key);
  const keys = new Map(
    [previous === null ? null : deriveKey(previous), present].filter((k) => k !== null).map((k) => [k.id, k]),
  );
  return {
    seal(plain, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv(CIPHER, present.bytes, nonce, TAG).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return ['v1', present.id, ...[nonce, cipher.getAuthTag(), text].map((part) => part.toString('base64url'))].join(
        '.',
      );
    },
    open(sealed, place) {
      const [version, id = '', nonce = '', tag = '', text = ''] = sealed.split('.');
      const found = keys.get(id);
      if (version !== 'v1' || !found) throw new Error('The stored secret was sealed with a key that is not at hand.');
      const decipher = createDecipheriv(CIPHER, found.bytes, Buffer.from(nonce, 'base64url'), TAG)
        .setAAD(Buffer.from(place))
        .setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
    },
    isStale: (sealed) => sealed.split('.')[1] !== present.id,
    hasKey: (id) => keys.has(id),
  };
}

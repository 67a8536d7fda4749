import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError } from './config.js';
import { makeDataFolder } from './data-folder.js';
import { createSecretBox, type SecretBox } from './secret-box.js';

const BYTES = 48;

/**
 * A secret that is made once and kept in the data folder, readable by its owner alone. Processes that start together
 * agree on one: the file gets its name only when it is whole, and only if nobody was first.
 */
export function keptSecret(dir: string, name: string): string {
  const path = join(dir, name);
  const kept = readSecret(path);
  if (kept !== null) return kept;
  makeDataFolder(dir);
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeDurably(draft, `${randomBytes(BYTES).toString('base64url')}\n`);
    linkSync(draft, path);
    syncDirectory(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readSecret(path) ?? keptSecret(dir, name);
}

/** For the credentials that are stored: with the key that is set, else the one that is kept. */
export function openSecretBox(config: Pick<Config, 'encryptionKey' | 'encryptionKeyPrevious' | 'dataDir'>): SecretBox {
  const key = config.encryptionKey ?? keptSecret(config.dataDir, 'encryption-key');
  return createSecretBox(key, config.encryptionKeyPrevious);
}

function readSecret(path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new ConfigError(`The secret kept in ${path} cannot be read: ${(error as Error).message}.`);
  }
  if (text.length < 32) throw new ConfigError(`The secret kept in ${path} is damaged: it has less than 32 characters.`);
  keepPrivate(path);
  return text;
}

function keepPrivate(path: string): void {
  if ((statSync(path).mode & 0o077) === 0) return;
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    // Somebody else's, or on a volume that is only read: whoever put it there says who may read it.
    if (!['EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(dir: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

import type { Clock } from '../../lib/clock.js';
import type { Db } from '../../platform/db/connect.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { CarrierLine, CarrierRow } from './carrier.js';
import { carrierUnavailable } from './carriers.errors.js';
import { findCarrierById } from './carriers.repository.js';
import type { ProviderName, Secrets } from './provider.js';
import { findAdapter } from './registry.js';

/** Topic of the hints that a carrier was changed; the hint is its id. */
export const CARRIERS_TOPIC = 'carriers';

/** Where a carrier's sealed credentials stand. */
export const placeOfCredentials = (carrierId: string): string => `carriers.credentials:${carrierId}`;

const FRESH_MS = 1000;
/** From this age on the next reader starts a new look-up, and nobody waits for it. */
const REFRESH_MS = 500;
const MOST_LINES = 10_000;

interface Entry {
  line: CarrierLine | null;
  askedAt: number;
  pending: Promise<CarrierLine | null> | undefined;
}

interface LinesDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly secrets: SecretBox;
  readonly wakeups: Wakeups;
}

export interface CarrierLines {
  /** The line as it was within the last second, deleted ones too; null: there is none. @throws 503 */
  find(carrierId: string): Promise<CarrierLine | null>;
  close(): void;
}

/** Carriers' lines kept in the process, so that a webhook costs no query. A hint of a change drops what is kept. */
export function createCarrierLines({ db, clock, secrets, wakeups }: LinesDeps): CarrierLines {
  const entries = new Map<string, Entry>();
  const unsubscribe = wakeups.subscribe(CARRIERS_TOPIC, (id) => void entries.delete(String(id)));

  function ask(id: string, entry: Entry): Promise<CarrierLine | null> {
    const askedAt = clock.now();
    entry.pending ??= load(id)
      .then((line) => {
        Object.assign(entry, { line, askedAt });
        return line;
      })
      .finally(() => {
        entry.pending = undefined;
      });
    return entry.pending;
  }

  async function load(id: string): Promise<CarrierLine | null> {
    try {
      const row = await findCarrierById(db, id);
      return row ? openLine(row, secrets) : null;
    } catch (error) {
      throw carrierUnavailable(error);
    }
  }

  return {
    find(id) {
      const entry = entries.get(id) ?? { line: null, askedAt: Number.NEGATIVE_INFINITY, pending: undefined };
      const age = clock.now() - entry.askedAt;
      if (age >= FRESH_MS) {
        // Made anew at the end of the map, so that the front of it is what was not asked for the longest.
        entries.delete(id);
        if (entries.size >= MOST_LINES) entries.delete(entries.keys().next().value ?? '');
        entries.set(id, entry);
        return ask(id, entry);
      }
      if (age >= REFRESH_MS) ask(id, entry).catch(() => undefined);
      return Promise.resolve(entry.line);
    },
    close: unsubscribe,
  };
}

function openLine(row: CarrierRow, secrets: SecretBox): CarrierLine {
  const adapter = findAdapter(row.provider);
  if (!adapter) throw new Error(`No adapter for the provider ${row.provider}.`);
  return {
    id: row.id,
    accountId: row.account_id,
    provider: row.provider as ProviderName,
    adapter,
    secrets: JSON.parse(secrets.open(row.credentials, placeOfCredentials(row.id))) as Secrets,
    isActive: row.is_active,
    isDeleted: row.deleted_at !== null,
    voiceUrl: row.voice_url,
    country: row.country,
    plain: row.settings,
  };
}

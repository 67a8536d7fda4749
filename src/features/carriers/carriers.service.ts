import { type Actor, hasRole } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import { permissionDenied } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Platform } from '../../platform/platform.js';
import { type Resealed, resealColumns, type SealedColumn } from '../../platform/reseal.js';
import type { CarrierChanges, CarrierRow, ListedCarrier, NewCarrier } from './carrier.js';
import type { CarrierActivity } from './carrier-activity.js';
import { type Credentials, credentialNames, mergeCredentials, readCredentials } from './carrier-credentials.js';
import { CARRIERS_TOPIC, placeOfCredentials } from './carrier-lines.js';
import { carrierNotFound, fixedMember } from './carriers.errors.js';
import {
  type CarrierScope,
  countByKey,
  findCarrier,
  insertCarrier,
  listCarriers,
  lockCarrier,
  updateCarrier,
} from './carriers.repository.js';
import type { ProviderAdapter, Secrets } from './provider.js';
import { findAdapter } from './registry.js';

const CREDENTIALS: SealedColumn = { table: 'carriers', column: 'credentials', placeOf: placeOfCredentials };

export interface CarriersService {
  list(actor: Actor, page: { readonly limit: number; readonly after: string | null }): Promise<Page<ListedCarrier>>;
  get(actor: Actor, id: string): Promise<ListedCarrier>;
  create(actor: Actor, input: NewCarrier): Promise<ListedCarrier>;
  change(actor: Actor, id: string, changes: CarrierChanges): Promise<ListedCarrier>;
  remove(actor: Actor, id: string): Promise<void>;
  /** Whether an account's number may stand on the carrier: its own or a shared one, not deleted. */
  isUsable(accountId: string, carrierId: string): Promise<boolean>;
  /** Seals everything anew that was sealed with the previous key; may run while the product runs. */
  reseal(): Promise<Resealed>;
  /** How many carriers' credentials were sealed with a key that is not at hand. */
  countUnreadable(): Promise<number>;
}

export interface LeavingCarrier {
  readonly carrierId: string;
  /** Whose people remove it. */
  readonly accountId: string;
  readonly byUserId: string | null;
  readonly byApiKeyId: string | null;
}

/** Opens the transaction in which a carrier goes, runs the removal in it, and then lets go of the numbers on it. */
export type RemovingCarrier = (carrier: LeavingCarrier, remove: (tx: Db) => Promise<void>) => Promise<void>;

interface Parts extends Pick<Platform, 'db' | 'clock' | 'secrets' | 'wakeups'> {
  readonly activity: CarrierActivity;
  readonly removingCarrier: RemovingCarrier;
}

interface Alteration {
  readonly id: string;
  readonly actor: Actor;
  work(row: CarrierRow): Partial<CarrierRow>;
}

const scopeOf = (actor: Actor): CarrierScope => ({
  accountId: actor.accountId,
  withShared: hasRole(actor, 'operator'),
});

export function createCarriersService(parts: Parts): CarriersService {
  const { db, clock, secrets, wakeups, activity, removingCarrier } = parts;
  const seal = (id: string, values: Secrets): string => secrets.seal(JSON.stringify(values), placeOfCredentials(id));
  const open = (row: CarrierRow): Secrets => JSON.parse(secrets.open(row.credentials, placeOfCredentials(row.id)));

  async function get(actor: Actor, id: string): Promise<ListedCarrier> {
    // What this process heard and has not written yet belongs to the answer.
    await activity.flush();
    const row = await findCarrier(db, scopeOf(actor), id);
    if (!row) throw carrierNotFound();
    return row;
  }

  /** Runs the change on the locked row; every process is to be told afterwards. */
  async function alter(tx: Db, { id, actor, work }: Alteration): Promise<void> {
    const row = await lockCarrier(tx, scopeOf(actor), id);
    if (!row) throw carrierNotFound();
    await updateCarrier(tx, id, { ...work(row), updated_at: new Date(clock.now()) });
  }

  const stored = (id: string, adapter: ProviderAdapter, credentials: Credentials) => ({
    credentials: seal(id, credentials.secrets),
    credential_names: credentialNames(adapter, credentials),
    settings: credentials.plain,
  });

  function changed(row: CarrierRow, changes: CarrierChanges): Partial<CarrierRow> {
    const { provider = row.provider, shared = row.account_id === null, credentials, ...plain } = changes;
    if (provider !== row.provider) throw fixedMember('provider');
    if (shared !== (row.account_id === null)) throw fixedMember('shared');
    if (credentials === undefined) return plain;
    const adapter = adapterOf(row.provider);
    const merged = mergeCredentials(adapter, { secrets: open(row), plain: row.settings }, credentials);
    return { ...plain, ...stored(row.id, adapter, merged) };
  }

  return {
    get,
    async list(actor, { limit, after }) {
      await activity.flush();
      return toPage(await listCarriers(db, scopeOf(actor), { limit: limit + 1, after }), limit, (row) => [row.id]);
    },
    async create(actor, input) {
      if (input.shared && !hasRole(actor, 'operator')) throw permissionDenied();
      const [id, now, adapter] = [newId(), new Date(clock.now()), adapterOf(input.provider)];
      await insertCarrier(db, {
        id,
        account_id: input.shared ? null : actor.accountId,
        provider: input.provider,
        name: input.name,
        ...stored(id, adapter, readCredentials(adapter, input.credentials)),
        is_active: input.is_active ?? true,
        voice_url: input.voice_url ?? null,
        country: input.country ?? null,
        created_at: now,
        updated_at: now,
        deleted_at: null,
      });
      wakeups.publish(CARRIERS_TOPIC, id);
      return get(actor, id);
    },
    async change(actor, id, changes) {
      await db.transaction((tx) => alter(tx, { id, actor, work: (row) => changed(row, changes) }));
      wakeups.publish(CARRIERS_TOPIC, id);
      return get(actor, id);
    },
    async remove(actor, id) {
      const by = { accountId: actor.accountId, byUserId: actor.userId, byApiKeyId: actor.apiKeyId };
      // The secrets go with it: what is still waiting in the inbox was verified when it came.
      const work = () => ({ deleted_at: new Date(clock.now()), credentials: seal(id, {}), credential_names: [] });
      await removingCarrier({ carrierId: id, ...by }, (tx) => alter(tx, { id, actor, work }));
      wakeups.publish(CARRIERS_TOPIC, id);
    },
    async isUsable(accountId, carrierId) {
      return (await findCarrier(db, { accountId, withShared: true }, carrierId)) !== undefined;
    },
    reseal: () => resealColumns(db, secrets, [CREDENTIALS]),
    async countUnreadable() {
      const unreadable = (await countByKey(db)).filter(({ key_id }) => !secrets.hasKey(key_id));
      return unreadable.reduce((sum, { carriers }) => sum + carriers, 0);
    },
  };
}

function adapterOf(provider: string): ProviderAdapter {
  const adapter = findAdapter(provider);
  if (!adapter) throw new Error(`No adapter for the provider ${provider}.`);
  return adapter;
}

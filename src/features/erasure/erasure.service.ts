import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import { type Page, toPage } from '../../http/pagination.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import { run } from '../../platform/db/statement.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { findHoldings } from '../numbers/index.js';
import { erasureNotFound, ownNumber } from './erasure.errors.js';
import type { Erasure } from './erasure.js';
import { findErasure, insertErasure, keepKey, listErasures } from './erasure.repository.js';
import { newSealedKey, openKey, pseudonymOf, sealingPlace } from './pseudonyms.js';

export interface ErasureService {
  /** @throws AppError 400: it is or was a virtual number of the account */
  erase(actor: Actor, number: string): Promise<Erasure>;
  /** @throws AppError 404 */
  get(actor: Actor, id: string): Promise<Erasure>;
  list(actor: Actor, page: { readonly before: string | null; readonly limit: number }): Promise<Page<Erasure>>;
}

export interface ErasureServiceDeps {
  readonly db: Knex;
  readonly secrets: SecretBox;
  /** Called after the commit. */
  asked(): void;
}

export function createErasureService({ db, secrets, asked }: ErasureServiceDeps): ErasureService {
  return {
    async erase(actor, number) {
      const { accountId } = actor;
      const erasure = await db.transaction(async (tx: Db) => {
        const holdings = (await run(tx, findHoldings([number]))).get(number) ?? [];
        if (holdings.some((holding) => holding.accountId === accountId)) throw ownNumber();
        const key = openKey(secrets, accountId, await keepKey(tx, accountId, newSealedKey(secrets, accountId)));
        return insertErasure(tx, {
          ...{ id: newId(), accountId, ...pseudonymOf(key, number) },
          sealedNumber: secrets.seal(number, sealingPlace(accountId)),
          byUserId: actor.userId,
          byApiKeyId: actor.apiKeyId,
        });
      });
      asked();
      return erasure;
    },
    async get(actor, id) {
      const erasure = await findErasure(db, actor.accountId, id);
      if (!erasure) throw erasureNotFound();
      return erasure;
    },
    async list(actor, { before, limit }) {
      const rows = await listErasures(db, actor.accountId, { before, limit: limit + 1 });
      return toPage(rows, limit, ({ id }) => [id]);
    },
  };
}

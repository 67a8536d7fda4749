import type { Platform } from '../../platform/platform.js';
import { listSealed, replaceSealed } from './porting.repository.js';
import { openSecrets, sealSecrets } from './subscriber-secrets.js';

const RESEAL_BATCH = 100;

export interface Resealed {
  readonly looked: number;
  readonly resealed: number;
  /** Ids of those that neither key opens. */
  readonly unreadable: readonly string[];
}

/** Seals everything anew that was sealed with the previous key; may run while the product runs. */
export async function resealOrders({ db, secrets: box }: Pick<Platform, 'db' | 'secrets'>): Promise<Resealed> {
  let [looked, resealed] = [0, 0];
  const unreadable: string[] = [];
  let after: string | null = null;
  for (;;) {
    const rows = await listSealed(db, after, RESEAL_BATCH);
    for (const { id, subscriber_secrets: from } of rows.filter((row) => box.isStale(row.subscriber_secrets))) {
      const to = sealSecrets(box, id, openSecrets(box, { id, subscriberSecrets: from }));
      if (to === null) unreadable.push(id);
      // Whoever changed them meanwhile has sealed them with the present key.
      else if (await replaceSealed(db, id, { from, to })) resealed += 1;
    }
    looked += rows.length;
    after = rows.at(-1)?.id ?? null;
    if (rows.length < RESEAL_BATCH) return { looked, resealed, unreadable };
  }
}

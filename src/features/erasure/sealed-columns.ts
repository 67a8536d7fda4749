import type { SealedColumn } from '../../platform/reseal.js';
import { ID_KEY_PLACE, keyPlace, sealingPlace } from './pseudonyms.js';

/** The accounts' keys, the numbers that are still to be erased, and the key of the marks of renamed ids. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'erasure_keys', key: { sql: 'account_id', type: 'uuid' }, column: 'sealed_key', placeOf: keyPlace },
  { table: 'erasures', column: 'sealed_number', placedBy: 'account_id', placeOf: sealingPlace },
  {
    ...{ table: 'call_id_key', key: { sql: "text 'call_id_key'", type: 'text' }, column: 'sealed_key' },
    placeOf: () => ID_KEY_PLACE,
  },
];

import { listsEtag } from '../../lib/etag.js';

/** A phone number that an account holds. Times in ms since 1970. */
export interface VirtualNumber {
  readonly id: string;
  readonly accountId: string;
  /** Whom it is assigned to; null: nobody. */
  readonly userId: string | null;
  readonly carrierId: string | null;
  /** E.164. */
  readonly phoneNumber: string;
  readonly isActive: boolean;
  readonly label: string | null;
  readonly country: string | null;
  readonly type: string | null;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly releasedAt: number | null;
  readonly portedAt: number | null;
  readonly version: number;
}

/** What a list shows of a number: of hundreds of rows nothing is read that nobody sees. */
export type ListedNumber = Omit<VirtualNumber, 'accountId' | 'version' | 'releasedAt' | 'portedAt'>;

/** What may be changed of a number that is held. */
export interface NumberPatch {
  readonly isActive?: boolean;
  readonly label?: string | null;
  readonly tags?: readonly string[];
  readonly userId?: string | null;
  readonly carrierId?: string | null;
}

export const NUMBER_ACTIONS = ['claimed', 'updated', 'assigned', 'released', 'ported'] as const;
export type NumberAction = (typeof NUMBER_ACTIONS)[number];

/** Old and new value by the wire's member names. */
export type Changes = Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;

/** Who changes a number; both null: the system, or somebody of another account. */
export interface Author {
  readonly byUserId: string | null;
  readonly byApiKeyId: string | null;
}

export interface NumberChange extends Author {
  readonly id: string;
  readonly virtualNumberId: string;
  readonly accountId: string;
  readonly at: number;
  readonly action: NumberAction;
  readonly changes: Changes;
}

const UPDATED = { is_active: 'isActive', label: 'label', tags: 'tags' } as const;
const ASSIGNED = { user_id: 'userId', carrier_id: 'carrierId' } as const;
const CLAIMED = { phone_number: 'phoneNumber', ...UPDATED, ...ASSIGNED } as const;

type Members = Readonly<Record<string, keyof VirtualNumber>>;

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function difference(members: Members, before: VirtualNumber, after: VirtualNumber): Changes {
  const changed = Object.entries(members).filter(([, key]) => !isSame(before[key], after[key]));
  return Object.fromEntries(changed.map(([name, key]) => [name, { from: before[key], to: after[key] }]));
}

/** What history tells of a change: assigning and the rest are two entries. None: nothing changed. */
export function describeChange(
  before: VirtualNumber,
  after: VirtualNumber,
): { readonly action: NumberAction; readonly changes: Changes }[] {
  const steps = [
    { action: 'assigned', changes: difference(ASSIGNED, before, after) },
    { action: 'updated', changes: difference(UPDATED, before, after) },
  ] as const;
  return steps.filter(({ changes }) => Object.keys(changes).length > 0);
}

/** What a number began with. */
export function describeClaim(number: VirtualNumber): Changes {
  const given = Object.entries(CLAIMED).filter(([, key]) => !isSame(number[key], null) && !isSame(number[key], []));
  return Object.fromEntries(given.map(([name, key]) => [name, { from: null, to: number[key] }]));
}

export const describeRelease = (number: VirtualNumber): Changes =>
  difference(ASSIGNED, number, { ...number, userId: null, carrierId: null });

/** The number after the patch; the same object when the patch changes nothing. */
export function changeNumber(number: VirtualNumber, patch: NumberPatch, now: number): VirtualNumber {
  const after = { ...number, ...patch };
  if (describeChange(number, after).length === 0) return number;
  return { ...after, updatedAt: Math.max(now, number.updatedAt), version: number.version + 1 };
}

export const etagOf = (number: VirtualNumber): string => `"${number.version}"`;

/** Whether an `If-Match` allows the change. */
export const matchesEtag = (ifMatch: string | undefined, number: VirtualNumber): boolean =>
  ifMatch === undefined || listsEtag(ifMatch, etagOf(number));

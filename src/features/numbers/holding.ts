/** A span in which one account (and user) held a number: `from` inclusive, `until` exclusive; null: still held. */
export interface Holding {
  readonly accountId: string;
  readonly userId: string | null;
  readonly virtualNumberId: string;
  readonly from: number;
  readonly until: number | null;
}

/**
 * The holder of a call that began at `at`. `ownAccountId` is the account of the carrier it came over, of which alone
 * the holdings count then; null for a shared carrier. Before the first holding the first holder counts on an own
 * carrier (calls of a number that was added here later than at the carrier), nobody on a shared one; in a gap nobody.
 */
export function holderAt(holdings: readonly Holding[], at: number, ownAccountId: string | null): Holding | null {
  const spans = holdings.filter(
    (span) => span.from !== span.until && (ownAccountId === null || span.accountId === ownAccountId),
  );
  const holder = spans.find((span) => span.from <= at && (span.until === null || at < span.until));
  if (holder) return holder;
  const [first] = spans;
  return ownAccountId !== null && first !== undefined && at < first.from ? first : null;
}

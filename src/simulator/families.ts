/** Which of a call's legs have a call log, whose they are, and which leg is whose parent. */
import { type ExpectedLeg, expectLeg, type Report } from './expected.js';

export interface ExpectedLog {
  readonly leg: ExpectedLeg;
  readonly direction: string;
  /** The number of ours; a leg that has none has its parent's. */
  readonly virtualNumber: string;
  /** The leg that is its parent; null: it has none, or that one has no call log. */
  readonly parent: string | null;
}

/** `reports` by leg; `numbers` are the virtual ones. */
export function expectLogs(
  reports: ReadonlyMap<string, readonly Report[]>,
  numbers: ReadonlySet<string>,
): ReadonlyMap<string, ExpectedLog> {
  const legs = [...reports].flatMap(([id, ofLeg]) => expectLeg(id, ofLeg) ?? []);
  const placed = new Map<string, ExpectedLog>();
  for (const leg of legs) {
    const own = ownNumber(leg, numbers);
    if (own) placed.set(leg.id, { leg, ...own, parent: null });
  }
  // A leg that has no number of ours belongs to its parent, which may be such a leg itself.
  for (let before = -1; before !== placed.size; ) {
    before = placed.size;
    for (const leg of legs) {
      const direction = leg.members.direction[0];
      const parent = placed.has(leg.id) || !direction ? null : parentOf(leg, placed);
      const virtualNumber = parent === null ? undefined : placed.get(parent)?.virtualNumber;
      if (virtualNumber !== undefined && direction) placed.set(leg.id, { leg, direction, virtualNumber, parent: null });
    }
  }
  return new Map([...placed].map(([id, log]) => [id, { ...log, parent: parentOf(log.leg, placed) }]));
}

/** A direction that is not told is that of the number that is ours. */
function ownNumber({ members }: ExpectedLeg, numbers: ReadonlySet<string>) {
  const [from, to] = [members.from[0] ?? null, members.to[0] ?? null];
  const isOurs = (party: string | null): party is string => party !== null && numbers.has(party);
  const told = members.direction[0];
  const direction = told ?? (isOurs(from) === isOurs(to) ? null : isOurs(to) ? 'incoming' : 'outgoing');
  const virtualNumber = direction === 'incoming' ? to : from;
  return direction !== null && isOurs(virtualNumber) ? { direction, virtualNumber } : null;
}

/** The leg that the provider names; where it tells only a session, that one's incoming leg, else its earliest. */
function parentOf(leg: ExpectedLeg, placed: ReadonlyMap<string, ExpectedLog>): string | null {
  const named = leg.members.parent[0] ?? null;
  if (named !== null) return named !== leg.id && placed.has(named) ? named : null;
  const session = leg.sessions[0] ?? null;
  if (session === null) return null;
  const members = [...placed.values()].filter((log) => log.leg.sessions[0] === session);
  const incoming = members.filter(({ direction }) => direction === 'incoming');
  const [root] = (incoming.length > 0 ? incoming : members).sort(
    (a, b) => startOf(a) - startOf(b) || (a.leg.id < b.leg.id ? -1 : 1),
  );
  return root && root.leg.id !== leg.id ? root.leg.id : null;
}

const startOf = ({ leg }: ExpectedLog): number => leg.times[0].started?.[0] ?? 0;

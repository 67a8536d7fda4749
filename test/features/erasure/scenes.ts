/** Accounts with a line and a number, whose callers have themselves erased: the test itself drains and erases. */
import { expect } from 'chai';
import { HEARD_AFTER_MS } from '../../../src/features/erasure/erasure.js';
import type { Person, TestSystem } from '../../support/system.js';
import { until } from '../../support/until.js';
import { claimNumber, type Delivery, deliver, drained, genericCall, type Line, openLine } from '../ingestion/lines.js';

export const ERASURES = '/api/erasures/';
export const BASE = Date.now() - 3_600_000;

let made = 0;
export const newNumber = (prefix: string): string => {
  made += 1;
  return `${prefix}${String(10_000_000 + made * 7919)}`;
};

/** Without the `+` and the country's two digits. */
export const nationalOf = (party: string): string => party.slice(3);

export interface Scene {
  readonly admin: Person;
  readonly line: Line;
  /** Held by the account. */
  readonly number: string;
  /** Who calls it. */
  readonly party: string;
}

type Members = Readonly<Record<string, unknown>>;

export function createScenes(system: () => TestSystem) {
  const get = async ({ admin }: Pick<Scene, 'admin'>, path: string) =>
    (await system().ask('GET', path, { token: admin.token })).body;

  /** As if the time had passed in which another process may not have heard of it: whoever was asked has at once. */
  async function heardOf(id: string): Promise<void> {
    const earlier = system().db.raw(`created_at - ? * interval '1 millisecond'`, [HEARD_AFTER_MS]);
    await system().db('erasures').where({ id }).update({ created_at: earlier });
  }

  async function finishedInTime(scene: Scene, id: string) {
    const path = `${ERASURES}${id}/`;
    await until(
      'the erasure is done',
      async () => {
        await system().system.features.erasure.work();
        return (await get(scene, path)).status === 'done';
      },
      20_000,
    );
    return get(scene, path);
  }

  return {
    get,
    /** `line`: of somebody else, else one is opened with what is told of it. */
    async setUp({ line, ...more }: { readonly line?: Line } & Members = {}): Promise<Scene> {
      const admin = await system().createAdmin();
      const number = newNumber('+4930');
      await claimNumber(system(), admin, number);
      const own = line ?? (await openLine(system(), admin, 'generic', more));
      return { admin, number, party: newNumber('+49151'), line: own };
    },
    async tell({ line }: Pick<Scene, 'line'>, ...deliveries: Delivery[]): Promise<void> {
      for (const delivery of deliveries) expect(await deliver(system(), line, delivery)).to.equal(204);
      await drained(system());
    },
    call: ({ party, number }: Pick<Scene, 'party' | 'number'>, callId: unknown, more: Members = {}): Delivery =>
      genericCall({
        ...{ type: 'call.ended', call_id: callId, from: party, to: number, duration: 5 },
        ...{ occurred_at: new Date(BASE).toISOString(), ...more },
      }),
    async erase(scene: Scene, number = scene.party) {
      const asked = { token: scene.admin.token, body: { phone_number: number } };
      const { status, body } = await system().ask('POST', ERASURES, asked);
      expect(status, JSON.stringify(body)).to.equal(202);
      return body;
    },
    heardOf,
    /** Where the process that was asked is the only one that records. */
    async finished(scene: Scene, id: string) {
      await heardOf(id);
      return finishedInTime(scene, id);
    },
    finishedInTime,
    /** Everything in the database, as text, a line each row. */
    async dump(): Promise<string> {
      const { rows } = await system().db.raw(
        `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
      );
      const texts: string[] = [];
      for (const { name } of rows) {
        const found = await system().db.raw('select t.*, null as x from ?? t', [name]);
        for (const row of found.rows) {
          const spelled = Object.values(row).map((value) =>
            Buffer.isBuffer(value) ? value.toString('latin1') : value,
          );
          texts.push(`${name} ${JSON.stringify(spelled)}`);
        }
      }
      return texts.join('\n');
    },
  };
}

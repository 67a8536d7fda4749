import { expect } from 'chai';
import { createEventLog, readEventsAfter, type StoredEvent } from '../../../src/features/events/index.js';
import { createNumbers, type Numbers } from '../../../src/features/numbers/index.js';
import { createPorting, type Porting } from '../../../src/features/porting/index.js';
import type { PortOrderStatus } from '../../../src/features/porting/port-order.js';
import type { UserRole } from '../../../src/http/actor.js';
import { newId } from '../../../src/lib/ids.js';
import { type Answer, type Caller, type Door, makeActor, openDoor } from '../../support/door.js';

export const PORT_ORDERS = '/api/port_orders/';
export const NOW = Date.parse('2026-11-22T12:00:00.000Z');

export const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n', 'latin1');
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');

let given = 2_000_000;
/** A number of the United States that no test has used. */
export const freshNumber = (): string => {
  given += 1;
  return `+1415${given}`;
};

export const SUBSCRIBER = { name: 'Jane Doe', address: '1 Main St', account_number: 'ACC-778899', pin: '904152' };

export const submittable = (more: object = {}) => ({
  phone_numbers: [freshNumber()],
  losing_carrier: 'Old Telecom',
  subscriber: SUBSCRIBER,
  requested_for: '2026-12-01',
  ...more,
});

export interface PortDoors {
  readonly door: Door;
  readonly porting: Porting;
  readonly numbers: Numbers;
  /** `step`: how far the clock goes on by itself whenever somebody looks at it. */
  readonly time: { now: number; step: number };
  /** Numbers that were announced as claimed. */
  readonly announced: string[];
  person(role?: UserRole, accountId?: string): Promise<Caller>;
  key(accountId: string, scopes: Parameters<typeof makeActor>[0]['keyWith']): Caller;
  /** A draft that may be submitted. */
  draft(api: Caller, more?: object): Promise<Answer['body']>;
  /** Sets the state without asking the table. */
  place(id: string, status: PortOrderStatus): Promise<void>;
  statusOf(id: string): Promise<PortOrderStatus>;
  events(accountId: string): Promise<StoredEvent[]>;
  /** Writes an incoming call (unless told otherwise) on the number. */
  call(number: { accountId: string; virtualNumberId: string }, more: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export async function openPortDoors(): Promise<PortDoors> {
  const time = { now: NOW, step: 0 };
  const announced: string[] = [];
  let features: { porting: Porting; numbers: Numbers } | undefined;
  const door = await openDoor(
    (platform) => {
      const eventLog = createEventLog(platform.db, platform.wakeups);
      const numbers = createNumbers(platform, { eventLog, onClaimed: (claimed) => void announced.push(...claimed) });
      const porting = createPorting(platform, { eventLog, numbers });
      features = { porting, numbers };
      return [...porting.routes, ...numbers.routes];
    },
    {
      clock: {
        now() {
          time.now += time.step;
          return time.now;
        },
      },
    },
  );
  if (!features) throw new Error('The door opened without features.');
  const { db } = door.platform;

  async function draft(api: Caller, more: object = {}): Promise<Answer['body']> {
    const made = await api.post(PORT_ORDERS, submittable(more));
    expect(made.status, made.text).to.equal(201);
    expect((await upload(api, made.body.id)).status).to.equal(201);
    return made.body;
  }

  return {
    ...{ door, ...features, time, announced, draft },
    async person(role = 'admin', accountId) {
      return door.as(makeActor({ accountId: accountId ?? (await door.makeAccount()), role }));
    },
    key: (accountId, keyWith) => door.as(makeActor({ accountId, keyWith: keyWith ?? [] })),
    async place(id, status) {
      await db('port_orders').where({ id }).update({ status });
    },
    statusOf: async (id) => (await db('port_orders').where({ id }).first('status')).status,
    events: (accountId) => readEventsAfter(db, accountId, 0, 500),
    async call({ accountId, virtualNumberId }, more) {
      const id = newId();
      await db('call_logs').insert({
        ...{ id, account_id: accountId, virtual_number_id: virtualNumberId, carrier_id: newId(), provider: 'generic' },
        ...{ carrier_call_id: id, direction: 'incoming', caller_number: '+4930111', called_number: '+14155550100' },
        ...{ status: 'ended', disposition: 'completed', duration: 1, facts: '{}' },
        ...{ started_at: new Date(time.now), last_news_at: new Date(time.now), updated_at: new Date(time.now) },
        ...more,
      });
    },
    close: () => door.close(),
  };
}

export interface Upload {
  readonly content?: Buffer;
  readonly kind?: string | null;
  readonly name?: string;
  readonly type?: string;
  readonly field?: string;
}

export async function upload(api: Caller, orderId: string, wish: Upload = {}): Promise<Answer> {
  const { content = PDF, kind = 'loa', name = 'loa.pdf', type = 'application/octet-stream', field = 'file' } = wish;
  const form = new FormData();
  if (kind !== null) form.set('kind', kind);
  form.set(field, new File([new Uint8Array(content)], name, { type }));
  return sendForm(api, orderId, form);
}

export async function sendForm(api: Caller, orderId: string, body: FormData): Promise<Answer> {
  const response = await api.fetch(`${PORT_ORDERS}${orderId}/documents/`, { method: 'POST', body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

export const move = (api: Caller, id: string, status: string, more: object = {}): Promise<Answer> =>
  api.patch(`${PORT_ORDERS}${id}/`, {
    status,
    ...(status === 'exception' && { exception: { code: 'pin_invalid', message: 'Wrong PIN' } }),
    ...more,
  });

/** Moves the order along; every step must be allowed. */
export async function moveThrough(id: string, ...steps: readonly (readonly [Caller, string])[]): Promise<Answer> {
  let last: Answer | undefined;
  for (const [api, status] of steps) {
    last = await move(api, id, status);
    expect(last.status, `${status}: ${last.text}`).to.equal(200);
  }
  if (!last) throw new Error('No step was asked for.');
  return last;
}

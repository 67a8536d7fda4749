import { connect, type Socket } from 'node:net';

/** A request as bytes, and a name by which its times are kept. */
export interface LoadRequest {
  readonly id: string;
  readonly bytes: Buffer;
}

export interface LoadResult {
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Epoch ms of the sending, by id (first sending counts). */
  readonly sentAt: ReadonlyMap<string, number>;
  /** Milliseconds from sending to the answer, in the order of the answers. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Requests a second over all connections; null: as fast as the answers come. */
  readonly rate: number | null;
}

/** Epoch ms, finer than a millisecond. */
export const preciseNow = (): number => performance.now() + performance.timeOrigin;

/**
 * Sends the requests in order over keep-alive connections, one at a time on each. A plain client over sockets: the
 * load must cost little, because it shares the machine with what it measures.
 */
export async function sendLoad(requests: readonly LoadRequest[], options: LoadOptions): Promise<LoadResult> {
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  const statuses: Record<number, number> = {};
  const started = performance.now();
  let next = 0;

  /** When the request with this number may go, ms from the start. */
  const due = (place: number): number => (options.rate === null ? 0 : (place * 1000) / options.rate);

  async function runConnection(): Promise<void> {
    const socket = await open(options.port);
    const answers = createAnswers(socket);
    try {
      for (let place = next++; place < requests.length; place = next++) {
        const request = requests[place];
        if (!request) break;
        const wait = started + due(place) - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        // Paced requests are measured from when they were due, so that a stalled server cannot hide its delay; but a
        // timer that woke a fraction of a millisecond too soon takes nothing off it.
        const now = performance.now();
        const began = options.rate === null ? now : Math.min(now, Math.max(started + due(place), now - 50));
        if (!sentAt.has(request.id)) sentAt.set(request.id, began + performance.timeOrigin);
        socket.write(request.bytes);
        const status = await answers.next();
        latencies.push(performance.now() - began);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    } finally {
      socket.destroy();
    }
  }

  await Promise.all(Array.from({ length: options.connections }, runConnection));
  return { statuses, sentAt, latencies, seconds: (performance.now() - started) / 1000 };
}

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true).once('error', reject);
  });

/** Reads one answer after the other; bodies only by Content-Length, which is all that the measured servers send. */
function createAnswers(socket: Socket): { next(): Promise<number> } {
  let buffer = Buffer.alloc(0);
  let waiting: { resolve(status: number): void; reject(error: Error): void } | undefined;

  function take(): void {
    const end = buffer.indexOf('\r\n\r\n');
    if (end === -1 || !waiting) return;
    const head = buffer.toString('latin1', 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (buffer.length < end + 4 + length) return;
    buffer = buffer.subarray(end + 4 + length);
    const { resolve } = waiting;
    waiting = undefined;
    resolve(Number(head.slice(9, 12)));
  }
  socket.on('data', (chunk) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    take();
  });
  const fail = (error?: Error): void => waiting?.reject(error ?? new Error('The server closed the connection.'));
  socket.on('error', fail);
  socket.on('close', () => fail());
  return {
    next: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        take();
      }),
  };
}

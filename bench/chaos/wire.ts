import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A wire between a process and a service, that can be cut in the ways networks are cut:
 * `refuse` resets every connection and takes none; `stall` holds every byte back until it is opened again; `silence`
 * leaves the connections of now without a word for good, on both sides, and lets new ones through.
 */
export interface Wire extends Readonly<Record<WireDeed, () => void>> {
  readonly port: number;
}

/** One that lies in this process. */
export interface OwnWire extends Wire {
  close(): Promise<void>;
}

export type Cut = 'refuse' | 'stall' | 'silence';
export type WireDeed = 'open' | Cut;

/** A service's own keepalive notices at last that nobody is there; the process is never told. */
const FORGET_MS = 60_000;

type Mode = 'open' | 'refuse' | 'stall';

interface Pair {
  readonly near: Socket;
  far: Socket | null;
}

/** To the port of a service, which keeps it when it is started anew. */
export async function openWire(target: number): Promise<OwnWire> {
  const pairs = new Set<Pair>();
  const silenced = new Set<Pair>();
  let mode: Mode = 'open';

  function join(pair: Pair): void {
    const far = connect(target, '127.0.0.1');
    pair.far = far;
    far.setNoDelay(true);
    tie(far, pair.near, pair);
    tie(pair.near, far, pair);
  }

  function tie(from: Socket, to: Socket, pair: Pair): void {
    from.pipe(to);
    from.on('error', () => drop(pair));
    from.on('close', () => drop(pair));
  }

  function drop(pair: Pair): void {
    if (silenced.has(pair) || !pairs.delete(pair)) return;
    pair.near.destroy();
    pair.far?.destroy();
  }

  const server = createServer((near) => {
    near.setNoDelay(true);
    if (mode === 'refuse') {
      near.resetAndDestroy();
      return;
    }
    const pair: Pair = { near, far: null };
    pairs.add(pair);
    near.on('error', () => drop(pair));
    if (mode === 'open') join(pair);
    else near.once('close', () => drop(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    open() {
      const before = mode;
      mode = 'open';
      if (before !== 'stall') return;
      for (const pair of [...pairs]) {
        if (pair.far === null) join(pair);
        else {
          pair.near.pipe(pair.far);
          pair.far.pipe(pair.near);
        }
      }
    },
    refuse() {
      mode = 'refuse';
      for (const pair of [...pairs]) {
        pair.near.resetAndDestroy();
        drop(pair);
      }
    },
    stall() {
      mode = 'stall';
      for (const { near, far } of pairs) hold(near, far);
    },
    silence() {
      for (const pair of [...pairs]) {
        hold(pair.near, pair.far);
        silenced.add(pair);
        pairs.delete(pair);
        setTimeout(() => pair.far?.destroy(), FORGET_MS).unref();
      }
    },
    async close() {
      for (const { near, far } of [...pairs, ...silenced]) {
        near.destroy();
        far?.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

function hold(near: Socket, far: Socket | null): void {
  for (const socket of [near, far]) {
    socket?.unpipe();
    socket?.pause();
  }
}

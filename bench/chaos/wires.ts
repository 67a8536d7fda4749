import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Wire, WireDeed } from './wire.js';

export type WireOrder =
  | { readonly wire: number; readonly does: 'listen'; readonly target: number }
  | { readonly wire: number; readonly does: WireDeed };

export interface WirePort {
  readonly wire: number;
  readonly port: number;
}

export interface Wires {
  /** To a port on this machine. */
  open(target: number): Promise<Wire>;
  close(): Promise<void>;
}

/** The wires have a process of their own: a busy sender beside them would be one more fault, and one nobody ordered. */
export function startWires(): Wires {
  const child = fork(resolve('bench/chaos/wire-process.ts'), { execArgv: ['--import', 'tsx'] });
  let count = 0;
  return {
    async open(target) {
      const wire = count++;
      const port = listensOn(child, wire);
      child.send({ wire, does: 'listen', target } satisfies WireOrder);
      const order = (does: WireDeed) => (): void => void child.send({ wire, does } satisfies WireOrder);
      return {
        ...{ port: await port, open: order('open') },
        ...{ refuse: order('refuse'), stall: order('stall'), silence: order('silence') },
      };
    },
    async close() {
      if (!child.connected) return;
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

function listensOn(child: ChildProcess, wire: number): Promise<number> {
  return new Promise((found, failed) => {
    const end = (): void => failed(new Error('The process of the wires has ended.'));
    child.once('exit', end);
    child.on('message', function take(message: WirePort) {
      if (message.wire !== wire) return;
      child.off('message', take).off('exit', end);
      found(message.port);
    });
  });
}

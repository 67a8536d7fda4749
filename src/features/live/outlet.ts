import type { Socket } from 'socket.io';
import type { CloseCode } from './live.schema.js';

/**
 * What Engine.IO holds for a connection: packets gather in `writeBuffer` while the transport is busy, and all of them go
 * over to it at once (`drain`) when the kernel has taken the ones before. So a connection never holds more than twice
 * this many packets or characters, and a reader that stops reading stands still with them.
 */
const MOST_PACKETS = 256;
const MOST_CHARACTERS = 1_048_576;
/** Fewer packets are what is under way anyway. */
const FEW_PACKETS = 16;
/** A reader that takes nothing for so long cannot keep up. */
export const STUCK_MS = 10_000;
/** What the closing handshake may take. */
const FAREWELL_MS = 1000;

/** Of the WebSocket: what is corked goes to the kernel by one call. */
interface RawSocket {
  cork(): void;
  uncork(): void;
}

interface Connection {
  readonly writeBuffer: readonly { readonly data?: unknown }[];
  readonly readyState: string;
  readonly transport: { readonly socket?: { terminate?(): void; readonly _socket?: RawSocket | null } };
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  close(discard?: boolean): unknown;
}

// Engine.IO keeps `writeBuffer` out of its types, though its documentation tells to look at it.
const connectionOf = (socket: Socket): Connection => socket.conn as unknown as Connection;

export function isClogged(socket: Socket): boolean {
  const { writeBuffer } = connectionOf(socket);
  if (writeBuffer.length <= FEW_PACKETS) return false;
  if (writeBuffer.length > MOST_PACKETS) return true;
  let characters = 0;
  for (const { data } of writeBuffer) characters += typeof data === 'string' ? data.length : 0;
  return characters > MOST_CHARACTERS;
}

interface Engine {
  on(event: 'flush', listener: (connection: Connection, packets: readonly unknown[]) => void): unknown;
  on(event: 'drain', listener: (connection: Connection) => void): unknown;
}

/** The packets that Engine.IO hands over together are written together: a call for each costs more than making it. */
export function writeTogether(engine: Engine): void {
  engine.on('flush', ({ transport }, packets) => {
    if (packets.length > 1) transport.socket?._socket?.cork();
  });
  engine.on('drain', ({ transport }) => transport.socket?._socket?.uncork());
}

/** Resolves when there is room again; false: the reader is stuck. */
export function roomToWrite(socket: Socket, stuckMs: number): Promise<boolean> {
  const connection = connectionOf(socket);
  if (!isClogged(socket) || connection.readyState !== 'open') return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (outcome: boolean): void => {
      clearTimeout(timer);
      connection.off('drain', drained);
      connection.off('close', drained);
      resolve(outcome);
    };
    const drained = (): void => settle(true);
    const timer = setTimeout(() => settle(false), stuckMs);
    connection.once('drain', drained);
    connection.once('close', drained);
  });
}

/** Says why, where that can still be sent, and closes; a reader that does not take it is cut off. */
export function shut(socket: Socket, last: { code: CloseCode; seq: number }): void {
  const connection = connectionOf(socket);
  socket.emit('closed', last);
  socket.disconnect(true);
  const timer = setTimeout(() => cutOff(connection), FAREWELL_MS);
  connection.once('close', () => clearTimeout(timer));
  if (connection.readyState === 'closed') clearTimeout(timer);
}

export function cutOff(connection: Connection): void {
  if (connection.readyState === 'closed') return;
  connection.transport.socket?.terminate?.();
  connection.close(true);
}

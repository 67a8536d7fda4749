/**
 * A Socket.IO 4 client that does nothing but count: the WebSocket and Engine.IO protocols over a plain socket, without
 * parsing what arrives. A thousand of them must cost less than the server that is measured.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface LightSocketOptions {
  readonly port: number;
  readonly namespace: string;
  readonly auth?: object;
  /** Events whose name begins with this are counted. */
  readonly event: string;
  readonly onEvent: (payload: string) => void;
}

const TEXT = 1;
const PING = 9;

/** Resolves when the namespace is joined. */
export function openLightSocket(options: LightSocketOptions): Promise<Socket> {
  const { port, namespace, auth } = options;
  const joined = namespace === '/' ? '40' : `40${namespace},`;
  const wanted = `${namespace === '/' ? '42' : `42${namespace},`}["${options.event}`;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(upgrade(port)));
    let buffer = Buffer.alloc(0);
    let isUpgraded = false;

    function take(text: string): void {
      if (text.startsWith(wanted)) options.onEvent(text);
      else if (text[0] === '0') send(socket, joined + (auth ? JSON.stringify(auth) : ''));
      else if (text === '2') send(socket, '3');
      else if (text.startsWith('40')) resolve(socket);
      else if (text.startsWith('44')) reject(new Error(`The namespace refused: ${text}`));
    }

    socket.setNoDelay(true).on('data', (chunk) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      if (!isUpgraded) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end === -1) return;
        isUpgraded = true;
        buffer = buffer.subarray(end + 4);
      }
      for (let frame = nextFrame(buffer); frame; frame = nextFrame(buffer)) {
        if (frame.opcode === TEXT) take(buffer.toString('utf8', frame.start, frame.end));
        else if (frame.opcode === PING) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
        buffer = buffer.subarray(frame.end);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The server closed the connection.')));
  });
}

const upgrade = (port: number): string =>
  [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n');

/** A server's frames are not masked. */
function nextFrame(buffer: Buffer): { opcode: number; start: number; end: number } | null {
  if (buffer.length < 2) return null;
  const opcode = (buffer[0] ?? 0) & 0x0f;
  const short = (buffer[1] ?? 0) & 0x7f;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (buffer.length < start) return null;
  const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
  return buffer.length < start + length ? null : { opcode, start, end: start + length };
}

/** A client's frames must be masked; with zeros the text stays as it is. */
function send(socket: Socket, text: string): void {
  const body = Buffer.from(text);
  const head =
    body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0x80 | 126, body.length >> 8, body.length & 0xff];
  socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]));
}

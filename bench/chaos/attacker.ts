/**
 * Plays somebody hostile against a switchboard: `tsx attacker.ts <port> <slow connections> <wrong passwords a second>`,
 * until SIGTERM; then it tells how often it got which answer. Half-sent requests on many connections, bodies of 10 MB,
 * JSON nested 10,000 deep, passwords.
 */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

const [port = 0, slow = 0, passwords = 0] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const BIG = Buffer.alloc(10 * 1024 * 1024, 0x61);
const DEEP = Buffer.from('['.repeat(10_000) + ']'.repeat(10_000));
const BROKEN = Buffer.from('['.repeat(500_000));
const PASSWORDS_EVERY_MS = 10;
const answers: Record<string, number> = {};
let sent = 0;
const begun = performance.now();

const note = (answer: string): void => {
  answers[answer] = (answers[answer] ?? 0) + 1;
};

function openSlowly(): void {
  const socket = connect(port, '127.0.0.1');
  let position = 0;
  const text = 'POST /api/token/ HTTP/1.1\r\nHost: switchboard\r\nContent-Type: application/json\r\nX-Padding: ';
  const drip = setInterval(() => {
    socket.write(text[position] ?? 'a');
    position += 1;
  }, 1000);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    note('slow connection closed');
    clearInterval(drip);
    setTimeout(openSlowly, 100);
  });
}

function post(body: Buffer | string): void {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const asked = request({ port, method: 'POST', path: '/api/token/', headers, agent }, (answer) => {
    note(String(answer.statusCode));
    answer.resume();
  });
  asked.on('error', () => note('none'));
  asked.end(body);
}

for (let i = 0; i < slow; i++) setTimeout(openSlowly, (i / slow) * 1000);
setInterval(() => {
  const due = Math.ceil((passwords * PASSWORDS_EVERY_MS) / 1000);
  for (let i = 0; i < due; i++) {
    sent += 1;
    post(JSON.stringify({ username: `user-${sent % 500}`, password: `guess ${sent}` }));
  }
}, PASSWORDS_EVERY_MS);
setInterval(() => post(BIG), 250);
setInterval(() => post(DEEP), 100);
setInterval(() => post(BROKEN), 250);

process.stdout.write('attacking\n');
process.once('SIGTERM', () => {
  const passwordsASecond = (sent * 1000) / (performance.now() - begun);
  process.stdout.write(JSON.stringify({ refusals: answers, passwordsASecond }), () => process.exit(0));
});

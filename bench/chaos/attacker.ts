/**
 * Plays somebody hostile against a switchboard: `tsx attacker.ts <port> <slow connections> <wrong passwords a second>`,
 * until SIGTERM; then it tells how often it got which answer. Half-sent requests on many connections, bodies of 10 MB,
 * JSON nested 10,000 deep, passwords. Everything is written beforehand, as it lives on what others leave of the
 * processor.
 */
import { connect, type Socket } from 'node:net';

const [port = 0, slow = 0, passwords = 0] = process.argv.slice(2).map(Number);
const PASSWORD_LINES = 16;
const PASSWORDS_EVERY_MS = 10;
/** What it could not send in time it makes up for at three times its rate, not all at once. */
const MOST_BEHIND = 3;
const USERS = 500;

const asRequest = (body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      'POST /api/token/ HTTP/1.1\r\nHost: switchboard\r\nContent-Type: application/json\r\n' +
        `Content-Length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);
const BIG = asRequest(Buffer.alloc(10 * 1024 * 1024, 0x61));
const DEEP = asRequest(Buffer.from('['.repeat(10_000) + ']'.repeat(10_000)));
const BROKEN = asRequest(Buffer.from('['.repeat(500_000)));
const GUESSES = Array.from({ length: USERS * 4 }, (_, i) =>
  asRequest(Buffer.from(JSON.stringify({ username: `user-${i % USERS}`, password: `guess ${i}` }))),
);

const answers: Record<string, number> = {};
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

interface Line {
  /** Not when as many as may wait for their answers. */
  send(request: Buffer): void;
  answered(): number;
}

/** A connection that is opened again whenever it is closed, and on which no request waits for the one before. */
function createLine(mostUnanswered: number): Line {
  let socket: Socket | null = null;
  let unanswered = 0;
  let answered = 0;
  /** The end of what came, which may be half of a status line. */
  let rest = '';

  function read(chunk: string): void {
    const text = rest + chunk;
    let end = 0;
    for (const found of text.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
      note(found[1] ?? '');
      unanswered -= 1;
      answered += 1;
      end = found.index + found[0].length;
    }
    rest = text.slice(Math.max(end, text.length - 'HTTP/1.1 20'.length));
  }

  function open(): Socket {
    const made = connect(port, '127.0.0.1');
    made.on('data', (chunk) => read(chunk.toString('latin1')));
    made.on('error', () => undefined);
    made.on('close', () => {
      for (; unanswered > 0; unanswered -= 1) note('none');
      socket = null;
      rest = '';
    });
    return made;
  }

  return {
    send(request) {
      if (unanswered >= mostUnanswered) return;
      socket ??= open();
      unanswered += 1;
      socket.write(request);
    },
    answered: () => answered,
  };
}

const guessing = Array.from({ length: PASSWORD_LINES }, () => createLine(1000));
const begun = performance.now();
let guesses = 0;

function guess(): void {
  const due = ((performance.now() - begun) * passwords) / 1000;
  const most = guesses + Math.ceil((passwords * PASSWORDS_EVERY_MS * MOST_BEHIND) / 1000);
  for (; guesses < Math.min(due, most); guesses += 1) {
    guessing[guesses % guessing.length]?.send(GUESSES[guesses % GUESSES.length] ?? DEEP);
  }
}

function repeat(request: Buffer, everyMs: number): void {
  const line = createLine(4);
  setInterval(() => line.send(request), everyMs);
}

for (let i = 0; i < slow; i++) setTimeout(openSlowly, (i / slow) * 1000);
setInterval(guess, PASSWORDS_EVERY_MS);
repeat(BIG, 250);
repeat(DEEP, 100);
repeat(BROKEN, 250);

process.stdout.write('attacking\n');
process.once('SIGTERM', () => {
  const tried = guessing.reduce((sum, line) => sum + line.answered(), 0);
  const passwordsASecond = (tried * 1000) / (performance.now() - begun);
  process.stdout.write(JSON.stringify({ refusals: answers, passwordsASecond }), () => process.exit(0));
});

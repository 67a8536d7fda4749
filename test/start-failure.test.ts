import { expect } from 'chai';
import { explainStartFailure } from '../src/start-failure.js';

const CONFIG = { host: 'switch.example', port: 3000, databaseUrl: 'postgres://db/x', dataDir: '/var/lib/switch' };
const failure = (message: string, members: Readonly<Record<string, unknown>> = {}): Error =>
  Object.assign(new Error(message), members);

describe('why a start failed', () => {
  const cases: readonly { says: RegExp; of: Error }[] = [
    { says: /^Switchboard cannot listen on switch\.example:3000 \(EADDRINUSE\)/, of: listening('EADDRINUSE') },
    { says: /^Switchboard cannot listen on switch\.example:3000 \(ENOTFOUND\)/, of: unknownHost('switch.example') },
    { says: /^The database of DATABASE_URL cannot be reached: lookup/, of: unknownHost('db') },
    {
      says: /^The database of DATABASE_URL .* refused/,
      of: failure('refused', { code: 'ECONNREFUSED', syscall: 'connect' }),
    },
    { says: /^The database of DATABASE_URL /, of: failure('no such socket', { code: 'ENOENT', syscall: 'connect' }) },
    { says: /^The database of DATABASE_URL /, of: failure('timeout expired') },
    { says: /^The database of DATABASE_URL /, of: failure('wrong password', { code: '28P01' }) },
    { says: /^The folder of DATA_DIR, .* EACCES/, of: onFile('EACCES', '/var/lib/switch/jwt-secret.1') },
    {
      says: /^The folder of DATA_DIR, .* ENOSPC/,
      of: failure('ENOSPC: no space left', { code: 'ENOSPC', syscall: 'write' }),
    },
    { says: /^ENOENT: \/tmp\/missing\.json$/, of: onFile('ENOENT', '/tmp/missing.json') },
    { says: /^EACCES: \/tmp\/theirs\.json$/, of: onFile('EACCES', '/tmp/theirs.json') },
    { says: /^anything else$/, of: failure('anything else') },
  ];
  for (const { says, of } of cases)
    it(`is told as ${says}`, () => expect(explainStartFailure(of, CONFIG)).to.match(says));

  it('is told of all addresses of a database, and never of one where there is none', () => {
    const refused = failure('refused', { code: 'ECONNREFUSED', syscall: 'connect' });
    const all = new AggregateError([refused, refused], '');

    expect(explainStartFailure(all, CONFIG)).to.match(/DATABASE_URL cannot be reached: refused; refused\.$/);
    expect(explainStartFailure(refused, { ...CONFIG, databaseUrl: null })).to.equal('refused');
  });
});

function listening(code: string): Error {
  return failure('listen', { code, syscall: 'listen' });
}

function unknownHost(hostname: string): Error {
  return failure('lookup', { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname });
}

function onFile(code: string, path: string): Error {
  return failure(`${code}: ${path}`, { code, syscall: 'open', path });
}

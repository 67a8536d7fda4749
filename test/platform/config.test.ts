import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ConfigError, readConfig, SETTINGS } from '../../src/platform/config.js';
import { settingsTable } from '../../src/platform/settings-table.js';

const SECRET = 's'.repeat(32);

/** A value that each setting cannot have. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  PORT: ['abc', '-1', '65536', '80.5'],
  HOST: ['not a host'],
  PUBLIC_URL: ['example.com', 'ftp://example.com', 'https://example.com/?a=1', 'https://example.com/#a'],
  DATABASE_URL: ['mysql://localhost/x', 'localhost', 'postgres://localhost:99999/x'],
  REDIS_URL: ['http://localhost', 'localhost:6379', 'redis://localhost/abc', 'redis://localhost:99999'],
  ROLES: ['api,cook', ',', 'API'],
  JWT_SECRET: ['short'],
  ENCRYPTION_KEY: ['short'],
  ENCRYPTION_KEY_PREVIOUS: ['short'],
  ACCESS_TOKEN_TTL: ['0', 'soon', '1.5'],
  REFRESH_TOKEN_TTL: ['0'],
  REFRESH_REUSE_WINDOW: ['-1'],
  ADMIN_USERNAME: [' '],
  ADMIN_PASSWORD: ['short'],
  SIGNUP: ['yes'],
  TRUST_PROXY: ['1'],
  CORS_ORIGINS: ['example.com', 'https://example.com/path'],
  LOG_LEVEL: ['loud'],
  RATE_LIMITS: ['false'],
  LOST_CALL_AFTER: ['0'],
  EVENT_RETENTION: ['0'],
  WEBHOOK_RETENTION: ['1'],
  MAX_BACKLOG: ['0'],
  NUMBER_QUARANTINE: ['-1'],
  NUMBER_CLAIMS: ['closed'],
  DATABASE_POOL: ['1'],
  LIVE_CONNECTIONS_PER_USER: ['0'],
  LIVE_CONNECTIONS_PER_ADDRESS: ['0'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['localhost'],
  NODE_ENV: ['prod'],
};

/** Any text is one. */
const FREE = ['DATA_DIR'];

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
}

describe('settings', () => {
  it('have defaults for everything', () => {
    const config = readConfig({});

    expect(config).to.include({ port: 3000, host: '127.0.0.1', databaseUrl: null, redisUrl: null, dataDir: './.data' });
    expect(config).to.include({ accessTokenTtl: 300, refreshTokenTtl: 86_400, refreshReuseWindow: 10 });
    expect(config).to.include({ lostCallAfter: 14_400, eventRetention: 604_800, maxBacklog: 200_000 });
    expect(config).to.include({ rateLimits: true, signupOpen: false, trustProxy: false, numberClaims: 'open' });
    expect(config.roles).to.deep.equal(['api', 'live', 'worker']);
  });

  it('that are empty count as not set', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '' })).to.include({ port: 3000, redisUrl: null });
  });

  it('take any subset of the roles', () => {
    expect(readConfig({ ROLES: 'worker' }).roles).to.deep.equal(['worker']);
    expect(readConfig({ ROLES: 'live, api' }).roles).to.deep.equal(['live', 'api']);
  });

  for (const { name } of SETTINGS.filter((setting) => !FREE.includes(setting.name))) {
    it(`refuse a wrong ${name} with one sentence that names it`, () => {
      expect(WRONG[name], `a wrong value for ${name}`).to.not.equal(undefined);
      for (const value of WRONG[name] ?? []) {
        const sentence = refusal({ [name]: value });
        expect(sentence, value).to.match(new RegExp(`^The setting ${name} [^\\n]+\\.$`));
      }
    });
  }

  it('do not show what was given as a secret', () => {
    expect(refusal({ JWT_SECRET: 'hush-hush' })).to.not.include('hush');
    expect(refusal({ ADMIN_PASSWORD: 'hush' })).to.not.include('hush');
  });

  it('want a name and a password for the first operator', () => {
    expect(refusal({ ADMIN_USERNAME: 'root' })).to.include('ADMIN_PASSWORD');
    expect(refusal({ ADMIN_PASSWORD: 'long enough' })).to.include('ADMIN_USERNAME');
  });

  it('want both secrets in production with an outside database', () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db/x' };

    expect(refusal(production)).to.include('JWT_SECRET');
    expect(refusal({ ...production, JWT_SECRET: SECRET })).to.include('ENCRYPTION_KEY');
    expect(refusal({ ...production, JWT_SECRET: SECRET, ENCRYPTION_KEY: SECRET })).to.equal('');
    expect(refusal({ NODE_ENV: 'production' })).to.equal('');
  });

  it('are all in docs/settings.md as they are', () => {
    const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');

    expect(page).to.equal(settingsTable());
  });
});

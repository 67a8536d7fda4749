import type { Config } from './platform/config.js';

/** Why the process could not start, in one sentence that names what to change. */
export function explainStartFailure(error: unknown, config: Pick<Config, 'host' | 'port' | 'databaseUrl'>): string {
  const { code, syscall, message, errors } = error as NodeJS.ErrnoException & { errors?: Error[] };
  if (syscall === 'listen')
    return `Switchboard cannot listen on ${config.host}:${config.port} (${code}): set PORT and HOST.`;
  const what = message || errors?.map((one) => one.message).join('; ') || String(error);
  const isDatabase = config.databaseUrl !== null && (isConnectionCode(code) || isConnectionCode(errors?.[0]));
  return isDatabase ? `The database of DATABASE_URL cannot be reached: ${what}.` : what;
}

function isConnectionCode(source: unknown): boolean {
  const code = typeof source === 'string' ? source : (source as NodeJS.ErrnoException | undefined)?.code;
  // Network errors, and PostgreSQL's classes 08 (connection), 28 (login), 3D (no such database), 57P (not now).
  return /^(E[A-Z]{3,}|08...|28...|3D...|57P..)$/.test(code ?? '');
}

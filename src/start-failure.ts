import { resolve } from 'node:path';
import type { Config } from './platform/config.js';

/** Why the process could not start, in one sentence that names what to change. */
export function explainStartFailure(error: unknown, config: StartSettings): string {
  const { code, syscall, hostname, path, message, errors } = error as StartError;
  if (syscall === 'listen' || (syscall === 'getaddrinfo' && hostname === config.host))
    return `Switchboard cannot listen on ${config.host}:${config.port} (${code}): set PORT and HOST.`;
  const what = message || errors?.map((one) => one.message).join('; ') || String(error);
  const isDatabase = config.databaseUrl !== null && isOfConnection(errors?.[0] ?? (error as StartError));
  if (isDatabase) return `The database of DATABASE_URL cannot be reached: ${what}.`;
  const isFolder = OF_FILES.test(code ?? '') && isWithin(config.dataDir, path);
  return isFolder ? `The folder of DATA_DIR, ${config.dataDir}, cannot be used: ${what}.` : what;
}

/** A full disk is told without a path. */
const isWithin = (dir: string, path: string | undefined): boolean =>
  path === undefined || resolve(path).startsWith(resolve(dir));

type StartSettings = Pick<Config, 'host' | 'port' | 'databaseUrl' | 'dataDir'>;
type StartError = NodeJS.ErrnoException & { readonly hostname?: string; readonly errors?: readonly StartError[] };

const OF_FILES = /^(EACCES|EDQUOT|EIO|EISDIR|EMFILE|ENFILE|ENOSPC|ENOTDIR|EPERM|EROFS)$/;
/** Classes 08 (connection), 28 (login), 3D (no such database), 57P (not now) of PostgreSQL, and sockets that broke. */
const OF_CONNECTIONS = /^(08...|28...|3D...|57P..|ECONNRESET|EPIPE|ETIMEDOUT)$/;

function isOfConnection({ code, syscall, message }: StartError): boolean {
  // The driver's own errors have no code.
  if (code === undefined) return /^timeout expired|^Connection terminated/.test(message);
  return syscall === 'connect' || syscall === 'getaddrinfo' || OF_CONNECTIONS.test(code);
}

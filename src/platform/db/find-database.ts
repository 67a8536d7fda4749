import type { Config } from '../config.js';
import type { Closer } from '../lifecycle.js';
import type { Logger } from '../log.js';
import { startEmbedded } from './embedded.js';

interface Parts {
  readonly log: Logger;
  readonly closer: Closer;
  /** The embedded server ended without having been asked to. */
  readonly onLost: () => void;
}

/** The address of the database: the one given, else that of the embedded one, which is started and deferred. */
export async function findDatabase(config: Config, { log, closer, onLost }: Parts): Promise<string> {
  if (config.databaseUrl !== null) return config.databaseUrl;
  const embedded = await startEmbedded({
    dir: config.dataDir,
    log: (line) => log.debug({ postgres: line }, 'embedded database'),
    onLost: () => {
      log.fatal('the embedded database ended');
      onLost();
    },
  });
  closer.defer('embedded database', () => embedded.stop());
  return embedded.url();
}

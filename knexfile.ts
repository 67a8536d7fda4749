import { readConfig } from './src/platform/config.js';
import { knexConfig } from './src/platform/db/knex-config.js';

export default knexConfig(readConfig().databaseUrl ?? 'postgres://127.0.0.1:5432/switchboard');

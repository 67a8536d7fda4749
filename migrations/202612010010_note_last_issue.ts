import type { Knex } from 'knex';

/** When the newest token of a node was issued: a tab that refreshes soon after counts as one with it. Null: only one was. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table token_nodes add column last_issued_at timestamptz');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table token_nodes drop column last_issued_at');
}

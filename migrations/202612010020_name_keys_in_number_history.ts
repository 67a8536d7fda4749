import type { Knex } from 'knex';

/** Which API key changed a number: without it two keys and the system are one in its history. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table number_changes add column by_api_key_id uuid');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table number_changes drop column by_api_key_id');
}

import type { Knex } from 'knex';

/**
 * Ids that carriers give calls may hold numbers that were erased. Nothing is renamed by this: an erasure does it whose
 * worker has set `ids_since`, and those that were done before leave the ids as they are until they are asked for again.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- From when on ids are renamed as well; null: they are left as they come.
    alter table erasures add column ids_since timestamptz;

    -- Ids of calls and sessions in which a number was erased: by what they were, what they are.
    create table renamed_call_ids (
      -- Keyed hash of the carrier and the id as it was: 'leg:…', 'session:…'.
      mark text primary key,
      carrier_id uuid not null,
      kind text not null check (kind in ('leg', 'session')),
      name text not null
    );
    create index renamed_call_ids_of_name on renamed_call_ids (carrier_id, kind, name);

    -- The key of these hashes, sealed; made with the first erasure.
    create table call_id_key (
      sealed_key text not null,
      only_one boolean not null default true unique check (only_one)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table call_id_key, renamed_call_ids;
    alter table erasures drop column ids_since;
  `);
}

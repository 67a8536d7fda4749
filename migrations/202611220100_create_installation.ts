import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- One row: tells installations apart that share one Redis.
    create table installation (
      id uuid primary key,
      only_one boolean not null default true unique check (only_one)
    );
    insert into installation (id) values (gen_random_uuid());

    -- Counters of the rate limits, as rate-limiter-flexible wants them; a crash may forget them.
    create unlogged table rate_limits (
      key varchar(255) primary key,
      points integer not null default 0,
      expire bigint
    );
    create index rate_limits_by_end on rate_limits (expire);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table rate_limits, installation');
}

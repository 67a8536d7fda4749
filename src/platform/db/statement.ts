/**
 * Statements as values, to be run alone or together. On the way of a lone webhook the trips to the server and back
 * cost more than what is done there: what does not need the answer of what stands before it goes along with it.
 */
import type { Knex } from 'knex';
import type pg from 'pg';
import type { SqlRunner } from './connect.js';
import type { Transaction } from './transaction.js';
import { makeTrip, type SentStatement, tellOf } from './trip.js';

export interface Statement<T = unknown> {
  /** Under which each connection keeps its plan: for a text that never varies and leaves the planner no choice. */
  readonly name?: string;
  /** With `?` for each binding. */
  readonly sql: string;
  readonly bindings: readonly unknown[];
  /** Whatever rows it answers are not read. */
  readonly isCommand?: boolean;
  /** What the rows of the answer say. */
  read(rows: readonly unknown[]): T;
}

/** A statement without an answer. */
export const command = (statement: Omit<Statement, 'read'>): Statement<void> => ({
  ...statement,
  isCommand: true,
  read: () => undefined,
});

type Answers<S extends readonly Statement[]> = {
  -readonly [K in keyof S]: S[K] extends Statement<infer T> ? T : never;
};

export async function run<T>(db: SqlRunner, statement: Statement<T>): Promise<T> {
  if (isLean(db)) return (await runTogether(db, [statement]))[0];
  const { name, sql, bindings, read } = statement;
  if (name !== undefined && isPool(db)) return read(await ask(db, toSent(statement)));
  const query = db.raw<{ rows: unknown[] }>(sql, bindings as Knex.RawBinding[]);
  return read((await (name === undefined ? query : query.options({ name }))).rows);
}

/** Without what Knex does around a query, which for one that is prepared takes Node longer than the query. */
async function ask(pool: Knex, sent: SentStatement): Promise<readonly unknown[]> {
  const connection = await pool.client.acquireConnection();
  try {
    tellOf(pool, [sent]);
    return (await makeTrip(connection, [sent])).rows[0] ?? [];
  } finally {
    await pool.client.releaseConnection(connection);
  }
}

/** A transaction that has begun. @throws what the beginning failed with: Knex hands one that did not out as any other */
export async function begin(db: Knex): Promise<Knex.Transaction> {
  const tx = await db.transaction();
  if (tx.isCompleted()) await tx.executionPromise;
  return tx;
}

/**
 * Sends the statements in one go; the server runs them one after another, each on what was committed when it began.
 * When one fails, those after it are not run, and the transaction can only be rolled back.
 */
export async function runTogether<const S extends readonly Statement[]>(
  tx: SqlRunner,
  statements: S,
): Promise<Answers<S>> {
  const sent = statements.map(toSent);
  const rows = isLean(tx) ? await tx.send(sent) : (await makeTrip(await connectionOf(tx), sent)).rows;
  return readAll(statements, rows);
}

/**
 * Sends the statements and the commit in one go. Resolves when all of it is durable; when a statement fails, nothing is
 * committed.
 */
export async function commitTogether<const S extends readonly Statement[]>(
  tx: Knex.Transaction | Transaction,
  statements: S,
): Promise<Answers<S>> {
  const sent = statements.map(toSent);
  if (isLean(tx)) return readAll(statements, await tx.sendAndCommit(sent));
  const answers = makeTrip(await connectionOf(tx), sent);
  // After the statements, for a connection sends what it is given in that order. What `commit` answers says nothing of
  // a commit that failed, the transaction's own promise does.
  void tx.commit();
  const [answer, commit] = await Promise.allSettled([answers, tx.executionPromise]);
  // The first failure is the cause of the other.
  if (answer.status === 'rejected') throw answer.reason;
  if (commit.status === 'rejected') throw commit.reason;
  return readAll(statements, answer.value.rows);
}

const isPool = (db: SqlRunner): db is Knex => 'client' in db && !(db as Knex).isTransaction;

const isLean = (db: SqlRunner): db is Transaction => 'sendAndCommit' in db;

/** The transaction's own connection. @throws when the transaction is over, with what it failed of, or is none */
async function connectionOf(tx: SqlRunner): Promise<pg.Client> {
  const transaction = tx as Knex.Transaction;
  if (!transaction.isTransaction) throw new Error('This is no transaction.');
  if (transaction.isCompleted()) {
    await transaction.executionPromise;
    throw new Error('The transaction is over.');
  }
  return transaction.client.acquireConnection();
}

const toSent = ({ name, sql, bindings, isCommand = false }: Statement): SentStatement => ({
  name,
  text: positioned(sql),
  values: bindings,
  hasAnswer: !isCommand,
});

const readAll = <S extends readonly Statement[]>(statements: S, rows: readonly (readonly unknown[])[]): Answers<S> =>
  statements.map((statement, place) => statement.read(rows[place] ?? [])) as Answers<S>;

const positionedTexts = new Map<string, string>();

/** `$1`, `$2`, … as PostgreSQL wants them. */
function positioned(sql: string): string {
  const known = positionedTexts.get(sql);
  if (known !== undefined) return known;
  let place = 0;
  const text = sql.replaceAll('?', () => {
    place += 1;
    return `$${place}`;
  });
  positionedTexts.set(sql, text);
  return text;
}

/**
 * Statements that go to the server in one packet and are answered in one: with a single Sync behind them, where pg sends
 * a Sync, and the server a packet, for each. What fails takes those behind it along: the server skips them up to the Sync.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 *
 * pg takes no classes of others on a connection that pipelines, for they might keep a portal open; a `Query` of its own
 * that is sent in another way it does. What is used of its inner side is declared here.
 */
import type { Knex } from 'knex';
import pg from 'pg';

/** A statement as the server wants it. */
export interface SentStatement {
  /** Under which each connection keeps its plan. */
  readonly name?: string | undefined;
  /** With `$1`, `$2`, … for the values. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** False: its rows are not read. */
  readonly hasAnswer: boolean;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}

/** How rows of an answer are read: the same as long as the statement is prepared. */
type Shape = readonly { readonly name: string; readonly parse: (text: string) => unknown }[];

interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(message: { name: string | undefined; text: string }): void;
  bind(message: { statement: string | undefined; values: readonly unknown[] }): void;
  describe(message: { type: 'P' }): void;
  execute(): void;
  sync(): void;
}

interface Answer {
  readonly statement: SentStatement;
  readonly values: readonly unknown[];
  shape: Shape | undefined;
  readonly rows: unknown[];
}

/** What pg asks of a query. */
interface PgQuery {
  name: string | undefined;
  text: string;
}

const PgQuery = pg.Query as unknown as new (config: { text: string }) => PgQuery;
const { prepareValue } = (pg as unknown as { utils: { prepareValue(value: unknown): unknown } }).utils;

const shapes = new WeakMap<Wire, Map<string, Shape>>();

class Trip extends PgQuery {
  readonly #answers: Answer[];
  readonly #resolve: (rows: TripAnswer) => void;
  readonly #reject: (error: unknown) => void;
  #wire: Wire | undefined;
  #at = 0;
  #tag = '';

  constructor(
    statements: readonly SentStatement[],
    resolve: (answer: TripAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super({ text: '' });
    this.#answers = statements.map((statement) => ({
      statement,
      values: statement.values.map(prepareValue),
      shape: undefined,
      rows: [],
    }));
    this.#resolve = resolve;
    this.#reject = reject;
    this.#turnTo(0);
  }

  /** pg notes under `name` which statements the server has parsed, as it hears of it. */
  #turnTo(place: number): void {
    this.#at = place;
    this.name = this.#answers[place]?.statement.name;
    this.text = this.#answers[place]?.statement.text ?? '';
  }

  submit(wire: Wire): null {
    this.#wire = wire;
    wire.stream.cork();
    for (const answer of this.#answers) this.#send(wire, answer);
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  #send(wire: Wire, answer: Answer): void {
    const { name, text, hasAnswer } = answer.statement;
    if (name === undefined) wire.parse({ name, text });
    else if (wire.parsedStatements[name] === undefined && wire.submittedNamedStatements[name] === undefined) {
      wire.parse({ name, text });
      wire.submittedNamedStatements[name] = text;
    }
    wire.bind({ statement: name, values: answer.values });
    if (hasAnswer) {
      if (name !== undefined) answer.shape = shapes.get(wire)?.get(name);
      if (!answer.shape) wire.describe({ type: 'P' });
    }
    wire.execute();
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    const answer = this.#answers[this.#at];
    if (!answer) return;
    answer.shape = fields.map(({ name, dataTypeID }) => ({ name, parse: pg.types.getTypeParser(dataTypeID, 'text') }));
    const { name } = answer.statement;
    if (name === undefined || !this.#wire) return;
    const known = shapes.get(this.#wire) ?? new Map<string, Shape>();
    shapes.set(this.#wire, known.set(name, answer.shape));
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const answer = this.#answers[this.#at];
    if (answer?.shape) answer.rows.push(rowOf(answer.shape, fields));
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#tag = text;
    this.#turnTo(this.#at + 1);
  }

  handleEmptyQuery(): void {
    this.#turnTo(this.#at + 1);
  }

  handleReadyForQuery(): void {
    this.#resolve({ rows: this.#answers.map(({ rows }) => rows), tag: this.#tag });
  }

  handleError(error: unknown): void {
    // Those behind it were not parsed.
    for (const { statement } of this.#answers.slice(this.#at))
      if (statement.name !== undefined) delete this.#wire?.submittedNamedStatements[statement.name];
    this.#reject(error);
  }
}

function rowOf(shape: Shape, fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  shape.forEach(({ name, parse }, place) => {
    const text = fields[place] ?? null;
    row[name] = text === null ? null : parse(text);
  });
  return row;
}

export interface TripAnswer {
  /** Of each statement. */
  readonly rows: readonly (readonly unknown[])[];
  /** What the server says it did last: `COMMIT`, `INSERT 0 1`, … */
  readonly tag: string;
}

/** Tells whoever listens on the pool's `query`, as Knex does of what it sends itself. */
export function tellOf(db: Knex, statements: readonly SentStatement[]): void {
  for (const { text, values } of statements) db.client.emit('query', { sql: text, bindings: values });
}

/** Sends the statements. @throws what the first that failed failed of: those behind it are not run */
export function makeTrip(connection: pg.ClientBase, statements: readonly SentStatement[]): Promise<TripAnswer> {
  return new Promise((resolve, reject) => {
    connection.query(new Trip(statements, resolve, reject) as unknown as pg.Submittable);
  });
}

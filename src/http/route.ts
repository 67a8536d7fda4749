import type Joi from 'joi';
import type { Actor, Scope, UserRole } from './actor.js';

/** What a handler gets: everything in it has passed the route's own schemas. */
export interface RouteRequest<Params, Query, Body> {
  /** On a public route a stand-in without rights; a handler of such a route does not read it. */
  readonly actor: Actor;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly files: readonly UploadedFile[];
  /** Client address (through a proxy only with TRUST_PROXY). */
  readonly address: string;
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Path and query as asked, for links to the next page. */
  readonly url: URL;
  /** A signal that is aborted when the client leaves before the answer is complete; made for the few who ask. */
  untilLeft(): AbortSignal;
  /** Adds facts to the request's log line. */
  note(facts: Readonly<Record<string, unknown>>): void;
}

export interface UploadedFile {
  readonly field: string;
  readonly filename: string;
  readonly content: Buffer;
}

/** An answer that is more than its body; a handler without such wishes returns the body alone. */
export class Reply {
  readonly body: unknown;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(body: unknown, options: { status?: number; headers?: Readonly<Record<string, string>> } = {}) {
    this.body = body;
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

export type BodyKind = 'json' | 'form' | 'multipart' | 'csv';

export interface RouteResponse {
  readonly description: string;
  /** Of the JSON body. Absent: no body, or one of another type (`contentType`). */
  readonly schema?: Joi.Schema;
  /** Besides the JSON of the schema; several: the request chooses. */
  readonly contentType?: string | readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One door, as data. The frame checks in the contract's order (path, token, method, permission, type, size, body) and
 * the OpenAPI document is made from the same rows.
 */
export interface Route<Params = Record<string, string>, Query = Record<string, unknown>, Body = unknown> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With a trailing slash and `:name` parts; the slash may be left out by clients. `:id` and `:…_id` must be UUIDs. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** `public`: no token is asked for. */
  readonly access: 'public' | 'bearer';
  /** Least role of a user. Default: member. */
  readonly role?: UserRole;
  /** What an API key needs; a bearer route without one is closed to API keys. */
  readonly scope?: Scope;
  readonly query?: Joi.ObjectSchema;
  /** `ignore`: unknown filters are passed over (the seed's list). Default: 400 under their name. */
  readonly unknownQuery?: 'ignore';
  readonly body?: Joi.ObjectSchema;
  /** `ignore`: unknown members are dropped (the seed's endpoints). Default: 400 under their name. */
  readonly unknownBody?: 'ignore';
  /** Default: JSON alone. */
  readonly accepts?: readonly BodyKind[];
  /** Bytes; default 1 MiB. */
  readonly bodyLimit?: number;
  /** How many values a JSON or CSV body may have, those inside others counted too; default 2,000. */
  readonly mostValues?: number;
  /** How many members the objects of a JSON body may have together; default 1,000. */
  readonly mostMembers?: number;
  /** What a call costs of the rate limit; default 1. */
  readonly cost?: number;
  /** Of the address's requests without a caller these count apart: whatever else comes from there keeps nobody from signing in. */
  readonly countsApart?: true;
  /**
   * Changes are told to the audit log under names made from method and path; `false`: the feature tells it itself, or
   * nothing is changed.
   */
  readonly audit?: false;
  /** Status of a plain success; default 200, or 204 where nothing is returned. */
  readonly status?: number;
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** Object-level permission, before the body is read: throws not-found or permission-denied. */
  permit?(request: { readonly actor: Actor; readonly params: Params }): Promise<void> | void;
  handle(request: RouteRequest<Params, Query, Body>): Promise<unknown> | unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds routes of every shape; each was checked where it was made
export type AnyRoute = Route<any, any, any>;

/** Makes a route with its parameter, query and body types checked. */
export const route = <Params = Record<string, string>, Query = Record<string, unknown>, Body = unknown>(
  definition: Route<Params, Query, Body>,
): AnyRoute => definition;

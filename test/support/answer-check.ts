import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into at many places
type Json = any;

export interface Told {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly mediaType: string;
  readonly body: unknown;
}

/** Says what an answer has that the OpenAPI document does not: null when they agree. */
export type AnswerCheck = (told: Told) => string | null;

/** Answers of the frame itself, the same everywhere: no operation's own. */
const OF_THE_FRAME = new Set([400, 401, 403, 404, 405, 413, 415, 429, 503]);

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uri: /^[a-z][a-z0-9+.-]*:\S+$/,
};

/** JSON Schema with the formats that the product's documents name. */
export const createSchemaCheck = (): Ajv2020 => new Ajv2020({ strict: false, formats: { ...FORMATS, binary: true } });

export function createAnswerCheck(document: Json): AnswerCheck {
  const ajv = createSchemaCheck();
  const validators = new Map<string, ValidateFunction>();
  const templates = Object.keys(document.paths).map((path) => ({ path, pattern: patternOf(path) }));

  function validatorOf(name: string, schema: Json): ValidateFunction {
    const known = validators.get(name) ?? ajv.compile({ ...schema, components: document.components });
    validators.set(name, known);
    return known;
  }

  return ({ method, path, status, mediaType, body }) => {
    const [plain = ''] = path.split('?', 1);
    const found = templates.find(({ pattern }) => pattern.test(plain));
    const operation = found && document.paths[found.path][method === 'HEAD' ? 'get' : method.toLowerCase()];
    if (!operation) return null;
    const name = `${method} ${found.path} ${status}`;
    const response = resolved(document, operation.responses[status]);
    if (!response) return OF_THE_FRAME.has(status) ? null : `${name}: not in the OpenAPI document`;
    const schema = (response.content?.[mediaType] ?? response.content?.['*/*'])?.schema;
    if (!schema) return response.content && body !== '' ? `${name}: ${mediaType} is not in the document` : null;
    if (!mediaType.endsWith('json')) return null;
    const validate = validatorOf(`${name} ${mediaType}`, schema);
    return validate(body) ? null : `${name}: ${(validate.errors ?? []).map(explained).join('; ')}`;
  };
}

const explained = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || 'the answer'} ${message} ${JSON.stringify(params)}`;

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replaceAll(/\{\w+\}/g, '[^/]+')
      .replaceAll('.', '\\.')
      .replace(/\/$/, '/?')}$`,
  );

const resolved = (document: Json, response: Json): Json =>
  response?.$ref
    ? response.$ref
        .slice(2)
        .split('/')
        .reduce((place: Json, part: string) => place[part], document)
    : response;

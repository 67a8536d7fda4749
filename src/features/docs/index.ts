import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { AnyRoute } from '../../http/route.js';
import { docsRoutes } from './docs.routes.js';

export { MEMBER_EXAMPLES } from './member-examples.js';

/**
 * The OpenAPI document as a page at `/docs/`, by Swagger UI from `node_modules`.
 *
 * @example
 * const { routes } = createDocs();
 */
export function createDocs(): { readonly routes: readonly AnyRoute[] } {
  const { resolve } = createRequire(import.meta.url);
  return { routes: docsRoutes(dirname(resolve('swagger-ui-dist/package.json'))) };
}

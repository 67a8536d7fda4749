/** The part of koa-jwt that verifies, which its own types leave out. */
declare module 'koa-jwt/lib/verify.js' {
  import type { KeyObject } from 'node:crypto';

  export default function verify(
    token: string,
    key: KeyObject,
    options: { readonly algorithms: readonly string[] },
  ): Promise<unknown>;
}

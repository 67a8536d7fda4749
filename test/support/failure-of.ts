import { expect } from 'chai';

/** What the work failed of. Fails when it succeeds. */
export const failureOf = (work: Promise<unknown>): Promise<Error & { code?: string }> =>
  work.then(
    () => expect.fail('it succeeded'),
    (error) => error,
  );

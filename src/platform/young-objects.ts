import { setFlagsFromString } from 'node:v8';

/**
 * V8 learns which lines make objects that live long, and then makes those in its old generation. Here it learns wrong,
 * and for good: while requests wait, what every request makes lives long. From then on each request, dead or not, is
 * kept with all that it reaches until a full collection: docs/decisions/0014-requests-die-young.md.
 */
export function keepRequestsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

import { setFlagsFromString } from 'node:v8';

/** How V8 collects what this process throws away: to be called before anything else. */
export function tuneGarbageCollection(): void {
  // V8 learns which lines make objects that live long, and then makes those in its old generation. Here it learns wrong,
  // and for good: while requests wait, what every request makes lives long. From then on each request, dead or not, is
  // kept with all that it reaches until a full collection: docs/decisions/0014-requests-die-young.md.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // The young generation is collected by the thread whose it is. Helpers shorten that where processors are idle; where
  // none is, they take the time from the other threads and spend most of it looking for work.
  setFlagsFromString('--no-parallel-scavenge');
  // Code that has not run for some collections is thrown away with what V8 has learnt of it, and the first crowd after a
  // quiet minute would pay for learning it again.
  setFlagsFromString('--no-flush-bytecode');
}

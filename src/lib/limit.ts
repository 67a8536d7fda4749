/** Runs so many at once; the others wait, first come first served. */
export interface Limit {
  run<T>(work: () => Promise<T> | T): Promise<T>;
  waiting(): number;
  isIdle(): boolean;
}

/**
 * Made anew for what may be one request, so it leaves nothing to the old generation: no accessors of its own, which V8
 * allocates there together with all they see, and no list whose dead links hold the living ones.
 */
export function createLimit(atOnce: number): Limit {
  const queue: (() => void)[] = [];
  let running = 0;

  return {
    async run(work) {
      if (running < atOnce) running += 1;
      // Whoever is let go takes over the place of the one that has done.
      else await new Promise<void>((go) => queue.push(go));
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next) next();
        else running -= 1;
      }
    },
    waiting: () => queue.length,
    isIdle: () => running === 0,
  };
}

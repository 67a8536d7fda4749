import type { LiveListeners } from './types.js';

type Names = keyof LiveListeners;

/** Who listens to what. A listener that throws keeps the others from nothing: its error surfaces on its own. */
export function createListeners() {
  const listeners: { [N in Names]?: Set<LiveListeners[N]> } = {};
  return {
    on<N extends Names>(name: N, listener: LiveListeners[N]): () => void {
      const set = (listeners[name] ?? new Set()) as Set<LiveListeners[N]>;
      (listeners as Record<N, Set<LiveListeners[N]>>)[name] = set.add(listener);
      return () => void set.delete(listener);
    },
    tell<N extends Names>(name: N, ...parts: Parameters<LiveListeners[N]>): void {
      for (const listener of [...(listeners[name] ?? [])]) {
        try {
          (listener as (...parts: unknown[]) => void)(...parts);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
}

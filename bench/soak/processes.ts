import type { RunningProcess } from '../lib/installation.js';

/** Starts a process with these roles on this port (0: a free one). */
export type Launch = (roles: string, port: number) => Promise<RunningProcess>;

/** A process that keeps its address over its deaths. */
export interface Actor {
  url(): string;
  /** SIGKILL, and a new one in its place. */
  kill(): Promise<void>;
}

export function createCast(launch: Launch) {
  const running = new Set<RunningProcess>();
  async function begin(roles: string, port = 0): Promise<RunningProcess> {
    const started = await launch(roles, port);
    running.add(started);
    return started;
  }
  return {
    async start(roles: string): Promise<Actor> {
      let current = await begin(roles);
      return {
        url: () => current.url,
        async kill() {
          running.delete(current);
          process.kill(current.pid, 'SIGKILL');
          current = await begin(roles, current.port);
        },
      };
    },
    end: () => Promise.all([...running].map((one) => one.stop())),
  };
}

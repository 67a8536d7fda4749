/** Rate limits over PostgreSQL or Redis, shared by all processes. */
export interface LimitRule {
  /** Name of the rule; keys of different rules never meet. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

export interface LimitVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window is fresh, or until the caller may come again. */
  readonly resetSeconds: number;
}

export interface Limiter {
  take(rule: LimitRule, key: string, cost?: number): Promise<LimitVerdict>;
  /** The state without taking anything. */
  look(rule: LimitRule, key: string): Promise<LimitVerdict>;
  close(): Promise<void>;
}

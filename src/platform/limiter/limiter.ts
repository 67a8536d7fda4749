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
  /** Asks the backend each time: exact, for what is rare and matters (logins). While it is away, this process counts alone. */
  take(rule: LimitRule, key: string, cost?: number): Promise<LimitVerdict>;
  /** The state without taking anything. */
  look(rule: LimitRule, key: string): Promise<LimitVerdict>;
  /**
   * Answers from what this process knows and tells the backend afterwards, in gathered portions: exact within a
   * process, and a few requests late between several. For what happens with every request.
   */
  takeCheaply(rule: LimitRule, key: string, cost?: number): LimitVerdict;
  close(): Promise<void>;
}

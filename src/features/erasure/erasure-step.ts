/** What the steps of an erasure have in common. */
import type { NumberEraser } from '../../lib/number-eraser.js';
import type { CallIdRule } from '../calls/index.js';

export interface StepQuestion {
  readonly accountId: string;
  readonly eraser: NumberEraser;
  readonly callIds: Pick<CallIdRule, 'markOf'>;
  /** As the step left it; null: from the beginning. */
  readonly place: unknown;
}

export interface StepProgress {
  /** What `changed` counts it as. */
  readonly table: string;
  readonly changed: number;
  /** Null: the step is done. */
  readonly next: unknown;
}

export const PAGE = 2000;
/** What people put between digits, dropped before the number is looked for. */
export const SIGNS = ' .-()/+';
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface Place {
  readonly at: string;
  readonly id: string;
}

export interface Candidate extends Place {
  readonly hit: boolean;
}

import { makePlan, type Plan, type PlanOptions } from '../../src/simulator/plan.js';
import { SENDERS } from '../../src/simulator/senders/senders.js';
import { inventPeople, USUAL_MIX } from '../../src/simulator/stories.js';

export const BASE = Date.UTC(2026, 9, 26, 12, 0, 0);
export const NUMBERS: [string, ...string[]] = ['+9991234567001', '+9991234567002'];
export const PROVIDERS = SENDERS.map(({ provider }) => provider) as [string, ...string[]];

export const planOf = (changes: Partial<PlanOptions> = {}): Plan =>
  makePlan({
    ...{ calls: 60, providers: PROVIDERS, rate: 50, duplicate: 20, reorder: 20, lose: 5, seed: 'one' },
    ...{ run: '0badcafe', base: BASE, numbers: NUMBERS, people: inventPeople('one'), mix: USUAL_MIX },
    ...changes,
  });

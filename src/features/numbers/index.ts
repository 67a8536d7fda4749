export { type Holding, holderAt } from './holding.js';
export type { VirtualNumber } from './number.js';
export { findHoldings } from './numbers.queries.js';

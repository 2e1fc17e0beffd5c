import { ANSWER_ROWS, CONNECTION_ROWS } from './contract.answers.ts';
import { JOB_ROWS, REPORT_ROWS } from './contract.jobs.ts';
import { ORDER_ROWS, REFUSAL_ROWS } from './contract.orders.ts';
import type { Row } from './contract.ts';

/** Everything that a vendor can do to an order, and what must become of it at each adapter. */
export const CASES: readonly Row[] = [
  ...ORDER_ROWS,
  ...REFUSAL_ROWS,
  ...ANSWER_ROWS,
  ...CONNECTION_ROWS,
  ...JOB_ROWS,
  ...REPORT_ROWS,
];

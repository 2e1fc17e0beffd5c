import { type RawBuilder, sql } from 'kysely';
import type { Tx } from './database.ts';

/** What must hold of the rows of the database, said as a query for what breaks it. */
export interface Law {
  readonly name: string;
  readonly broken: RawBuilder<unknown>;
}

export interface LawResult {
  readonly law: string;
  /** How many rows break it; 0 when it holds. */
  readonly violations: number;
  /** A few of them. */
  readonly examples: readonly unknown[];
}

/** The laws of one part of the house. */
export interface Laws {
  /** `tx` decides the moment that is looked at. */
  check(tx: Tx): Promise<LawResult[]>;
}

const EXAMPLES_MAX = 5;

/** Looks for what breaks each law; all of them see the same moment when `tx` is a snapshot. */
export async function checkLaws(tx: Tx, laws: readonly Law[]): Promise<LawResult[]> {
  const results: LawResult[] = [];
  for (const { name, broken } of laws) {
    const { rows } = await sql<{ example: unknown; count: bigint }>`
      select to_jsonb(broken) as example, count(*) over () as count from (${broken}) as broken order by 1 limit ${EXAMPLES_MAX}`.execute(
      tx,
    );
    results.push({ law: name, violations: Number(rows[0]?.count ?? 0n), examples: rows.map(({ example }) => example) });
  }
  return results;
}

/** The same for the laws of several parts. */
export async function checkAll(tx: Tx, parts: readonly Laws[]): Promise<LawResult[]> {
  const results: LawResult[] = [];
  for (const part of parts) results.push(...(await part.check(tx)));
  return results;
}

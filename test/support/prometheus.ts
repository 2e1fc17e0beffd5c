import { expect } from 'vitest';

/** The samples of a scrape by name and labels, such as `gateway_jobs_queued` or `a_total{route="x"}`; times left out. */
export type Samples = ReadonlyMap<string, number>;

/** Asks for the metrics and reads every line of them. */
export async function scrape(url: string): Promise<Samples> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const read = /^([a-z_][a-z0-9_]*(?:\{.*\})?) (\S+)$/.exec(line);
      // What is not a number has many spellings.
      const value = Number(read?.[2]);
      if (!read?.[1] || (Number.isNaN(value) && !/^nan$/i.test(read[2] ?? ''))) throw new Error(`no sample: ${line}`);
      return [read[1], value];
    }),
  );
}

/** The gateway's counts that have grown between two scrapes, and by how much. How long things took is left out. */
export function grown(before: Samples, after: Samples): Record<string, number> {
  const counts = [...after].filter(([name]) => /^gateway_\w+_(total|count)(\{|$)/.test(name));
  return Object.fromEntries(
    counts.map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const).filter(([, by]) => by !== 0),
  );
}

import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

test('the audits of the GraphQL over HTTP specification find no error and nothing to warn of', async () => {
  const results = await auditServer({ url: `${gateway.url}/graphql` });
  expect(results).toHaveLength(61);
  const found = (status: string) =>
    results.filter((result) => result.status === status).map(({ id, name }) => `${id} ${name}`);
  expect({ error: found('error'), warn: found('warn') }).toEqual({ error: [], warn: [] });
  // Plain GET and form requests are turned away to prevent cross-site request forgery.
  expect(found('notice').length).toBeLessThanOrEqual(3);
});

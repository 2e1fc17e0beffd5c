import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

describe('generate', () => {
  test('a picture of exactly the asked size is stored and exactly the estimate is captured', async () => {
    const { data } = await gateway.ask<{ generate: { job: { status: string } } }>(
      'PRO',
      'mutation { generate(input: { prompt: "a lighthouse", width: 1080, height: 1350 }, waitSeconds: 30) { ... on Submission { job { status } } } }',
    );
    expect(data?.generate.job.status).toBe('SUCCEEDED');
    await expectLawsHold(gateway.database.db);
  });
});

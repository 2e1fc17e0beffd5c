import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type AnyVariables, Client, fetchExchange, type OperationResult, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { WATCH_JOB } from './documents.ts';
import type { JobPartsFragment } from './generated/graphql.ts';

/** What a frontend puts between its pages and the gateway: types from the schema, an error that is thrown, and live jobs. */
export class StudioClient {
  readonly #live;
  readonly #client: Client;

  constructor(url: string, key: string) {
    const authorization = `Bearer ${key}`;
    this.#live = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
    });
    const live = this.#live;
    this.#client = new Client({
      url: `${url}/graphql`,
      preferGetMethod: false,
      fetchOptions: { headers: { authorization } },
      requestPolicy: 'network-only',
      exchanges: [
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({ unsubscribe: live.subscribe({ query, ...(variables && { variables }) }, sink) }),
          }),
        }),
        fetchExchange,
      ],
    });
  }

  async query<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    return dataOf(await this.#client.query(document, variables).toPromise());
  }

  async mutate<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    return dataOf(await this.#client.mutation(document, variables).toPromise());
  }

  /** Shows every state of a job to `show` until it ends; answers the last one. */
  watchJob(id: string, show: (job: JobPartsFragment) => void): Promise<JobPartsFragment> {
    const { promise, resolve, reject } = Promise.withResolvers<JobPartsFragment>();
    const subscription = this.#client.subscription(WATCH_JOB, { id }).subscribe((result) => {
      try {
        const { job } = dataOf(result);
        show(job);
        if (hasEnded(job)) resolve(job);
      } catch (error) {
        reject(error);
      }
    });
    return promise.finally(() => subscription.unsubscribe());
  }

  async close(): Promise<void> {
    await this.#live.dispose();
  }
}

function dataOf<Data>({ data, error }: OperationResult<Data, AnyVariables>): Data {
  if (error) throw error;
  if (data === undefined || data === null) throw new Error('the gateway answered neither data nor an error');
  return data;
}

/** A status that is not named here does not compile. */
function hasEnded({ status }: JobPartsFragment): boolean {
  switch (status) {
    case 'QUEUED':
    case 'RUNNING':
      return false;
    case 'SUCCEEDED':
    case 'PARTIAL':
    case 'FAILED':
    case 'CANCELLED':
      return true;
  }
}

import { type ExecutionArgs, type GraphQLError, getOperationAST } from 'graphql';
import { DomainError } from '../errors.ts';
import type { Metrics } from '../platform/metrics.ts';
import { NO_OPERATION, type OperationName, operationName } from './request-metrics.ts';

/** Times subscriptions from the message that asks for one until it is open, with its first state, or refused. */
export class SubscriptionMetrics {
  readonly #askedAt = new WeakMap<object, number>();

  constructor(private readonly metrics: Metrics | null) {}

  /** `read` makes of the message what is run, or says why nothing is. */
  async asked(
    read: () => Promise<ExecutionArgs | readonly GraphQLError[]>,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const askedAt = performance.now();
    const found = await read();
    if ('document' in found) this.#askedAt.set(found, askedAt);
    else this.#observe(NO_OPERATION, askedAt, found);
    return found;
  }

  /** `result` is the stream of its states, or an answer that holds the errors that kept it from opening. */
  opened(args: ExecutionArgs, result: object): void {
    const operation = getOperationAST(args.document, args.operationName);
    const name = operation ? operationName(operation, args.document) : NO_OPERATION;
    const errors = 'errors' in result ? (result.errors as readonly GraphQLError[] | undefined) : undefined;
    this.#observe(name, this.#askedAt.get(args) ?? performance.now(), errors ?? []);
  }

  #observe(name: OperationName, askedAt: number, errors: readonly GraphQLError[]): void {
    const outcome = errors.length === 0 ? 'ok' : errors.every(isOfClient) ? 'client_error' : 'server_error';
    this.metrics?.requests.observe({ ...name, outcome }, (performance.now() - askedAt) / 1_000);
  }
}

function isOfClient({ originalError }: GraphQLError): boolean {
  return originalError === undefined || (originalError instanceof DomainError && originalError.code !== 'UNAVAILABLE');
}

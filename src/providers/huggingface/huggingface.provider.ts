import { misdirected } from '../misdirected.ts';
import type { CheckOutcome, Order, Provider, SubmitOptions, SubmitOutcome, Ticket } from '../provider.ts';
import { type ProviderOptions, VendorApi } from '../vendor-api.ts';
import { FalQueue } from './fal-queue.ts';
import { HfInference } from './hf-inference.ts';

/**
 * HuggingFace's router to other people's machines. Each host behind it has a protocol of its own: `hf-inference` answers
 * with the bytes, `fal-ai` has a queue.
 */
export class HuggingFaceProvider implements Provider {
  readonly name = 'huggingface';
  readonly hosts = new Set(['hf-inference', 'fal-ai']);
  readonly webhooks = null;
  readonly #hfInference: HfInference;
  readonly #falQueue: FalQueue;

  constructor(options: ProviderOptions) {
    const api = new VendorApi(this.name, options, (apiKey) => ({ authorization: `Bearer ${apiKey}` }));
    this.#hfInference = new HfInference(api);
    this.#falQueue = new FalQueue(api);
  }

  async submit(order: Order, options: SubmitOptions): Promise<SubmitOutcome> {
    if (order.host !== 'hf-inference') return this.#queueOf(order.host).submit(order, options);
    if (order.operation !== 'GENERATE') throw misdirected(order);
    return this.#hfInference.submit(order, options);
  }

  check(ticket: Ticket, signal: AbortSignal): Promise<CheckOutcome> {
    return this.#queueOf(ticket.host).check(ticket, signal);
  }

  async cancel(ticket: Ticket, signal: AbortSignal): Promise<void> {
    if (ticket.host !== 'hf-inference') await this.#queueOf(ticket.host).cancel(ticket, signal);
  }

  #queueOf(host: string): FalQueue {
    if (host === 'fal-ai') return this.#falQueue;
    throw new Error(`HuggingFace has no host ${host} that we know the protocol of`);
  }
}

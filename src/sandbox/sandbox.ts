import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { controlRoutes } from './control.ts';
import { type Answer, type Call, callOf, jsonAnswer, Refusal, type Route, send } from './exchange.ts';
import { FaultRates } from './faults.rates.ts';
import { FaultQueue } from './faults.ts';
import { imagenRoutes } from './gemini.imagen.ts';
import { geminiRoutes } from './gemini.ts';
import { huggingfaceRoutes } from './huggingface.ts';
import { Jobs } from './jobs.ts';
import { Journal, type JournalEntry } from './journal.ts';
import type { Desk } from './orders.ts';
import { outputRoutes } from './outputs.ts';
import { stabilityRoutes } from './stability.ts';
import { wavespeedRoutes } from './wavespeed.ts';
import { Webhooks } from './wavespeed.webhooks.ts';

/** How a sandbox is started; everything has a default. */
export interface SandboxOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** `127.0.0.1` by default. */
  readonly host?: string;
  /** 0, the default, draws at once; 1 takes as long as each model usually does; anything between scales it. */
  readonly latency?: number;
  /** With latency 0, how often a queued job is seen unfinished before it is done; 1 by default. */
  readonly pendingLooks?: number;
  /** Where the journal is also appended to, one line of JSON for each change of an entry. */
  readonly journalFile?: string;
  /**
   * Faults that strike by chance, separated by semicolons: `5% status=503; 2% never at=gemini; 3% withheld`. Faults that
   * a prompt asks for, or that wait for the next request, take their place. None by default.
   */
  readonly faults?: string;
  /** Makes chance repeatable. */
  readonly faultSeed?: number;
  /**
   * Tells the time, in milliseconds since 1970, by which vendors forget their jobs; the clock of the machine by default.
   */
  readonly now?: () => number;
}

/** A running sandbox. */
export interface Sandbox {
  /** The base URL of all four vendors. */
  readonly origin: string;
  /** Every request for a picture, as it stands now. */
  journal(): readonly JournalEntry[];
  /** Faults for requests to come; prompts can ask for their own with `[sandbox:…]`. */
  readonly faults: Pick<FaultQueue, 'next' | 'clear' | 'pending'>;
  /** Faults that strike by chance. */
  readonly rates: Pick<FaultRates, 'set' | 'clear' | 'shown'>;
  /** Stops listening and drops what is under way. */
  close(): Promise<void>;
}

async function answerTo(routes: readonly Route[], call: Call): Promise<Answer> {
  for (const { method, path, handle } of routes) {
    const parts = method === call.method ? path.exec(call.path) : null;
    if (!parts) continue;
    try {
      return await handle(call, parts.slice(1));
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }
  return jsonAnswer(404, { error: `sandbox: nothing at ${call.method} ${call.path}` });
}

function listener(routes: readonly Route[], closing: AbortSignal) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let call: Call;
    try {
      call = callOf(request, response, closing);
    } catch {
      const answer = jsonAnswer(400, { error: 'sandbox: the address cannot be read' });
      await send(response, answer, closing);
      return;
    }
    try {
      await send(response, await answerTo(routes, call), call.gone);
    } catch (error) {
      if (call.gone.aborted || response.headersSent) {
        response.destroy();
        return;
      }
      // A defect of the sandbox itself must not pass for a vendor's failure.
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await send(response, jsonAnswer(599, { error: `sandbox defect: ${words}` }), call.gone);
    }
  };
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  // Who listens everywhere still needs one name to be called by.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${bound}`;
}

/**
 * Starts a server that speaks the protocols of Stability AI, WaveSpeed, HuggingFace and Gemini for making pictures
 * from text and from other pictures: it draws the ones, and edits the pixels of the others, itself. It shares no code
 * with the adapters that talk to it, so that a misreading of a protocol shows as a disagreement.
 * @throws FaultSyntaxError when `faults` cannot be understood.
 * @throws when the port is taken or the journal's file cannot be written.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, host = '127.0.0.1', latency = 0, pendingLooks = 1, now = Date.now } = options;
  const rates = new FaultRates(options.faults ?? '', options.faultSeed);
  const closing = new AbortController();
  let origin = '';
  const desk: Desk = {
    origin: () => origin,
    latency,
    journal: new Journal(options.journalFile),
    faults: new FaultQueue(),
    rates,
    jobs: new Jobs({ latency, pendingLooks, now }),
    webhooks: new Webhooks({ latency, closing: closing.signal }),
    closing: closing.signal,
  };
  const routes = [
    ...controlRoutes(desk),
    ...outputRoutes(desk),
    ...stabilityRoutes(desk),
    ...wavespeedRoutes(desk),
    ...huggingfaceRoutes(desk),
    ...geminiRoutes(desk),
    ...imagenRoutes(desk),
  ];
  const server = createServer(listener(routes, closing.signal));
  // Longer than a client keeps an idle connection, so that none is closed just as the next request leaves.
  server.keepAliveTimeout = 75_000;
  try {
    origin = await listen(server, port, host);
  } catch (error) {
    desk.journal.close();
    throw error;
  }
  return {
    origin,
    journal: () => desk.journal.entries(),
    faults: desk.faults,
    rates,
    close: async () => {
      if (!server.listening) return;
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      desk.journal.close();
    },
  };
}

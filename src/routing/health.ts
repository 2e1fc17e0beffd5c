import { z } from 'zod';
import type { Route } from '../catalog/models.ts';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import type { Log } from '../platform/log.ts';
import { CIRCUIT_SETTINGS, Circuit, type CircuitSettings, type CircuitState, type Judged } from './circuit.ts';

/** How a route is doing. */
export interface Health {
  /** Whether it would be given an image now. */
  readonly healthy: boolean;
  readonly circuit: CircuitState;
  /** Why it is not closed; null when it is. */
  readonly reason: string | null;
  /** When an open circuit lets one image through again. */
  readonly retryAt: Date | null;
  /** Share of the recent calls after which the vendor was well, 0 to 1; null without any. */
  readonly successRate: number | null;
  /** Seconds that a delivered picture took recently, to a tenth; null without any. */
  readonly seconds: number | null;
}

/** Weight of the newest observation in the moving averages. */
const WEIGHT = 0.2;
const HEALTH_CHANNEL = 'route-health';

/** What processes tell each other: how a call ended, and that a circuit has changed. */
const news = z.union([
  z.object({ route: z.string(), ok: z.boolean(), seconds: z.number().nullable() }),
  z.object({ circuit: z.string(), by: z.string(), openMs: z.number(), reason: z.string() }),
]);
type News = z.infer<typeof news>;

interface Observed {
  readonly successRate: number;
  readonly seconds: number | null;
}
interface Told {
  readonly openUntilMs: number;
  readonly reason: string;
}

/**
 * What has been seen of each route lately, by this process and, through events, by the others. Circuits are each
 * process's own, but one that another process found open is not tried here either until its time is over.
 */
export class RouteHealth {
  readonly #circuits = new Map<string, Circuit>();
  readonly #told = new Map<string, Told>();
  readonly #observed = new Map<string, Observed>();
  readonly #waiting = new Set<() => void>();
  /** The circuits whose opening stands in the log, and whose closing does not yet. */
  readonly #loggedOpen = new Set<string>();
  readonly #unsubscribe: () => void;
  /** Tells what this process says of its circuits from what the others say of theirs. */
  readonly #name = crypto.randomUUID();

  constructor(
    private readonly clock: Clock,
    private readonly events: EventBus,
    private readonly settings: CircuitSettings = CIRCUIT_SETTINGS,
    private readonly log: Log | null = null,
  ) {
    this.#unsubscribe = events.subscribe(HEALTH_CHANNEL, (payload) => this.#hear(payload));
  }

  stop(): void {
    this.#unsubscribe();
  }

  of(route: Route): Health {
    const keys = keysOf(route);
    const states = keys.map((key) => this.#stateOf(key));
    const worst = states.find(({ state }) => state === 'OPEN') ?? states.find(({ state }) => state === 'HALF_OPEN');
    const openMs = Math.max(...states.map((each) => each.openMs));
    const { successRate = null, seconds = null } = this.#observed.get(route.id) ?? {};
    return {
      healthy: this.takes(route),
      circuit: worst?.state ?? 'CLOSED',
      reason: worst?.reason || null,
      retryAt: openMs > 0 ? new Date(this.clock.now().getTime() + openMs) : null,
      successRate,
      seconds: seconds === null ? null : Math.round(seconds * 10) / 10,
    };
  }

  /** Whether an image may be sent there now. */
  takes(route: Route): boolean {
    return keysOf(route).every(
      (key) => (this.#circuits.get(key)?.takes ?? true) && this.#stateOf(key).state !== 'OPEN',
    );
  }

  /** Makes a call and learns from how it ended. Only while the route {@link takes} one. */
  async observe<T>(route: Route, call: () => Promise<Judged<T>>): Promise<T> {
    const [routeKey, hostKey] = keysOf(route);
    const circuit = this.#circuit(routeKey, 'ROUTE');
    const hostCircuit = this.#circuit(hostKey, 'HOST');
    const began = performance.now();
    const { result, verdict } = await hostCircuit.run(() => circuit.run(call));
    if (verdict.shutSeconds > 0) {
      const [key, shut] = verdict.ill === 'HOST' ? [hostKey, hostCircuit] : [routeKey, circuit];
      shut.shut(verdict.shutSeconds, verdict.reason);
      this.#tellCircuit(key, shut);
    }
    this.#logChange(routeKey, circuit);
    this.#logChange(hostKey, hostCircuit);
    if (verdict.ill !== 'UNKNOWN') {
      const ok = verdict.ill === 'NOBODY';
      const seconds = verdict.delivered ? (performance.now() - began) / 1_000 : null;
      this.#publish({ route: route.id, ok, seconds });
    }
    return result;
  }

  /** Resolves when some circuit has changed, after `ms` at the latest, or when `signal` is aborted. */
  async change(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    const timer = setTimeout(wake, ms);
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    signal.removeEventListener('abort', wake);
  }

  #circuit(key: string, illness: 'ROUTE' | 'HOST'): Circuit {
    const known = this.#circuits.get(key);
    if (known) return known;
    const circuit: Circuit = new Circuit(illness, this.settings, () => this.#tellCircuit(key, circuit));
    this.#circuits.set(key, circuit);
    return circuit;
  }

  #stateOf(key: string): { state: CircuitState; openMs: number; reason: string } {
    const circuit = this.#circuits.get(key);
    const own = { state: circuit?.state ?? 'CLOSED', openMs: circuit?.openMs ?? 0, reason: circuit?.reason ?? '' };
    const told = this.#told.get(key);
    if (!told || own.state === 'OPEN') return own;
    const openMs = Math.max(0, told.openUntilMs - Date.now());
    return openMs > 0 ? { state: 'OPEN', openMs, reason: told.reason } : own;
  }

  #tellCircuit(key: string, { state, openMs, reason }: Circuit): void {
    // While one process probes, the others stay away, and not for ever if it dies over it.
    const awayMs = state === 'HALF_OPEN' ? this.settings.openMsMax : openMs;
    this.#publish({ circuit: key, by: this.#name, openMs: awayMs, reason });
  }

  /** One line when a circuit opens and one when it is closed again, however many calls and probes that takes. */
  #logChange(key: string, { state, openMs, reason }: Circuit): void {
    if (state === 'OPEN' && !this.#loggedOpen.has(key)) {
      this.#loggedOpen.add(key);
      this.log?.warn({ circuit: key, openMs, reason }, 'a circuit is open: nothing is sent this way for now');
    }
    if (state === 'CLOSED' && this.#loggedOpen.delete(key))
      this.log?.info({ circuit: key }, 'a circuit is closed again');
  }

  #publish(told: News): void {
    this.events.publish(HEALTH_CHANNEL, JSON.stringify(told));
  }

  #hear(payload: string): void {
    const told = parsed(payload);
    // Nothing in it, or from another version of this program: what was missed heals with the next call.
    if (!told) return;
    if ('route' in told) {
      const known = this.#observed.get(told.route);
      const value = told.ok ? 1 : 0;
      this.#observed.set(told.route, {
        successRate: averaged(known?.successRate ?? null, value) ?? value,
        seconds: averaged(known?.seconds ?? null, told.seconds),
      });
      return;
    }
    const { circuit, by, openMs, reason } = told;
    if (by === this.#name || openMs === 0) this.#told.delete(circuit);
    else this.#told.set(circuit, { openUntilMs: Date.now() + openMs, reason });
    for (const wake of this.#waiting) wake();
  }
}

/** The circuits that a call goes through: the route's, and that of its host with whom its account and network are shared. */
function keysOf(route: Route): [route: string, host: string] {
  return [`route:${route.id}`, `host:${route.model.provider}/${route.host.name}`];
}

function parsed(payload: string): News | null {
  try {
    return news.safeParse(JSON.parse(payload)).data ?? null;
  } catch {
    return null;
  }
}

function averaged(known: number | null, observed: number | null): number | null {
  if (observed === null) return known;
  return known === null ? observed : known * (1 - WEIGHT) + observed * WEIGHT;
}

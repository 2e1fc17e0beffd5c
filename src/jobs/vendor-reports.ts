import type { ProviderName } from '../catalog/models.ts';
import type { Clock } from '../platform/clock.ts';
import type { EventBus } from '../platform/events.ts';
import type { Delivery } from '../providers/provider.ts';
import type { Providers } from '../providers/registry.ts';
import type { AttemptsStore } from './attempts.store.ts';

/** Tells whoever waits for the vendor of an attempt that it has reported. */
export const REPORT_CHANNEL = (attemptId: string) => `vendor-report:${attemptId}`;

/** What became of a delivery. A report that came too late, twice, or for nobody is `TAKEN` too: there is no use in repeating it. */
export type Receipt = 'TAKEN' | 'FORGED' | 'CANNOT_TELL';

/** Takes what vendors report by themselves and keeps it for whoever works on the image, in whichever process that is. */
export class VendorReports {
  constructor(
    private readonly providers: Providers,
    private readonly attempts: AttemptsStore,
    private readonly events: EventBus,
    private readonly clock: Clock,
  ) {}

  /** Only what proves to be the vendor's own counts; anybody can call this. */
  async receive(name: ProviderName, attemptId: string, delivery: Delivery): Promise<Receipt> {
    const webhooks = this.providers[name]?.webhooks;
    if (!webhooks) return 'FORGED';
    const verified = await webhooks.verify(delivery, this.clock.now());
    if (verified.kind !== 'GENUINE') return verified.kind;
    const kept = await this.attempts.keepReport(attemptId, name, verified.vendorId, verified.report);
    if (kept) this.events.publish(REPORT_CHANNEL(attemptId), '');
    return 'TAKEN';
  }
}

import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import type { Config } from './config.ts';
import { openDomain, openPlatform, type Substitutes } from './domain.ts';
import { OpenParts } from './open-parts.ts';
import { type Gateway, openOutside } from './outside.ts';
import { systemClock } from './platform/clock.ts';
import { openLog } from './platform/log.ts';

/** Builds the whole gateway from its configuration, starts it and listens. */
export async function startGateway(config: Config, substitutes: Substitutes = {}): Promise<Gateway> {
  const clock = substitutes.clock ?? systemClock;
  const log = substitutes.log ?? openLog(config);
  const parts = new OpenParts();
  try {
    await mkdir(config.dataDir, { recursive: true });
    const platform = await openPlatform(config, substitutes.database, log, parts.opened);
    const domain = await openDomain(config, platform, clock, substitutes, log, parts.opened);
    return await openOutside(config, platform, domain, log, parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** A process of its own that holds a data folder, keeps a row in it, says so, and waits for its end. */
import { sql } from 'kysely';
import { openPglite } from '../../src/platform/database.ts';

const { db } = await openPglite(process.argv[2] ?? '');
await sql`create table if not exists kept (id int)`.execute(db);
await sql`insert into kept values (1)`.execute(db);
// Nothing but the system may take the folder from us, even where only `db` was kept.
globalThis.gc?.();
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { PreparedStatements } from '../../src/platform/prepared-statements.ts';
import { freshDatabase, hasPostgres } from '../support/databases.ts';

describe('names of statements', () => {
  test('are given to what comes the third time, and stay', () => {
    const statements = new PreparedStatements();
    expect([1, 2, 3, 4].map(() => statements.nameOf('select 1'))).toEqual([undefined, undefined, 's0', 's0']);
    expect([1, 2, 3].map(() => statements.nameOf('select 2'))).toEqual([undefined, undefined, 's1']);
  });

  test('are not given twice, and not to more than 200', () => {
    const statements = new PreparedStatements();
    const names = Array.from({ length: 300 }, (_, number) =>
      [1, 2, 3].map(() => statements.nameOf(`select ${number}`)).at(-1),
    );
    expect(new Set(names.slice(0, 200)).size).toBe(200);
    expect(names.slice(200)).toEqual(Array(100).fill(undefined));
  });

  test('are taken away for good', () => {
    const statements = new PreparedStatements();
    for (let time = 0; time < 3; time++) statements.nameOf('select 1');
    statements.neverAgain('select 1');
    expect([1, 2, 3].map(() => statements.nameOf('select 1'))).toEqual([undefined, undefined, undefined]);
  });
});

describe.skipIf(!hasPostgres)('on PostgreSQL', () => {
  let database: Database;
  beforeAll(async () => {
    database = await freshDatabase('postgres');
    await sql`create table things (id int)`.execute(database.db);
    await sql`insert into things values (1)`.execute(database.db);
  });
  afterAll(() => database.close());

  const preparedHere = () =>
    sql<{
      statement: string;
    }>`select statement from pg_prepared_statements where statement like 'select * from things%'`;

  test('what comes often is planned once a connection', async () => {
    await inTransaction(database.db, async (tx) => {
      for (let time = 0; time < 10; time++) await sql`select * from things where id = ${time}`.execute(tx);
      expect((await preparedHere().execute(tx)).rows).toEqual([{ statement: 'select * from things where id = $1' }]);
    });
  });

  test('a table that gets a column while we run disturbs nobody, within a transaction or without', async () => {
    const look = (db = database.db) => sql`select * from things where id = ${1}`.execute(db);
    const lookWithin = () => inTransaction(database.db, (tx) => sql`select * from things where id < ${9}`.execute(tx));
    for (let time = 0; time < 40; time++) await Promise.all([look(), lookWithin()]);
    await sql`alter table things add column name text default 'one'`.execute(database.db);
    const found = await Promise.all([...Array(20)].flatMap(() => [look(), lookWithin()]));
    expect(found.map(({ rows }) => rows)).toEqual(Array(40).fill([{ id: 1, name: 'one' }]));
  });
});

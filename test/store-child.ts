/**
 * One process that uses a store of `src/testing/temporary-database.ts`, driven by its arguments:
 *
 * - `write <path> <name> <writers> <each>`: so many writers at once, each one write after another, `each` times. A write is two rows
 *   in one transaction. Prints the text of the first row when it is acknowledged.
 * - `hold <path>`: takes the write lock with a row that is never committed, prints `holding`, lets go when its input ends.
 * - `open <path>`: opens, writes one row, closes; prints how that went. With `--unprivileged` as a user without rights.
 * - `read <path>`: prints every text in it, once it is found to be whole.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { systemClock } from '../src/base/clock.ts';
import { TenureError } from '../src/base/errors.ts';
import { loadDriver } from '../src/storage/sqlite/driver.ts';
import { INSERT_ROW, openRows, textsOf } from '../src/testing/temporary-database.ts';

const print = (line: string) => void writeSync(1, `${line}\n`);

async function write(path: string, name: string, writers: number, each: number): Promise<void> {
  // A machine under test may be slow; being refused for waiting long is not what is tried here.
  await using database = await openRows(path, { lockTimeoutMs: 60_000 });
  const one = async (writer: number) => {
    for (let index = 0; index < each; index++) {
      const text = `${name}.${writer}.${index}`;
      await database.write((db) => {
        db.run(INSERT_ROW, text);
        db.run(INSERT_ROW, `${text}/pair`);
      });
      print(text);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => one(writer)));
}

async function hold(path: string): Promise<void> {
  const { DatabaseSync } = await loadDriver();
  const connection = new DatabaseSync(path, {});
  connection.exec(`BEGIN IMMEDIATE; INSERT INTO rows (text) VALUES ('never')`);
  print('holding');
  await once(process.stdin.resume(), 'end');
  connection.exec('ROLLBACK');
  connection.close();
}

async function open(path: string): Promise<void> {
  await loadDriver();
  if (process.argv.includes('--unprivileged') && process.getuid?.() === 0) {
    process.setgroups?.([]);
    process.setgid?.(65_534);
    process.setuid?.(65_534);
  }
  try {
    let migrated = 0;
    await using database = await openRows(path, {
      lockTimeoutMs: 60_000,
      onEvent: (event) => {
        if (event.type === 'storage.opened') migrated = event.migrated;
      },
    });
    await database.write((db) => db.run(INSERT_ROW, `opened by ${process.pid} at ${systemClock.nowMs()}`));
    print(JSON.stringify({ migrated }));
  } catch (error) {
    if (!(error instanceof TenureError)) throw error;
    print(JSON.stringify({ code: error.code, message: error.message }));
  }
}

async function read(path: string): Promise<void> {
  await using database = await openRows(path);
  const [{ integrity_check: integrity }] = database.read((db) =>
    db.all<{ integrity_check: string }>('PRAGMA integrity_check'),
  ) as [{ integrity_check: string }];
  if (integrity !== 'ok') throw new Error(integrity);
  for (const text of textsOf(database)) print(text);
}

const [command, path = '', name = '', writers, each] = process.argv.slice(2);
if (command === 'write') await write(path, name, Number(writers), Number(each));
else if (command === 'hold') await hold(path);
else if (command === 'read') await read(path);
else await open(path);

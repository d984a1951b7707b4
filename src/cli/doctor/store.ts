/**
 * The store: is it there, whole, ours, writable, and is there room.
 *
 * It is opened read-only and nothing is changed: not migrated, not created. The check of integrity reads the whole file.
 */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes, MIB } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { loadDriver } from '../../storage/sqlite/driver.ts';
import { migrations } from '../../storage/sqlite/migrations.ts';
import type { Finding } from './finding.ts';

const LITTLE_SPACE_BYTES = 256 * MIB;
const NO_SPACE_BYTES = 16 * MIB;
const LOCK_WAIT_MS = 2000;

export async function checkStore(path: string): Promise<Finding[]> {
  const { folder, usable } = await nearestFolder(dirname(path));
  const findings = [await checkDriver(), await checkSpace(folder)];
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    findings.push({
      check: 'store.file',
      severity: usable ? 'info' : 'error',
      what: usable ? 'There is no store yet; the first command makes it' : 'The store cannot be made here',
      evidence: path,
      ...(usable ? {} : { fix: `Make ${folder} a folder that can be written, or choose another --directory.` }),
    });
    return findings;
  }
  const writable = (await isWritable(path)) && (await isWritable(dirname(path)));
  findings.push({
    check: 'store.file',
    severity: writable ? 'ok' : 'error',
    what: writable ? 'The store can be written' : 'The store cannot be written',
    evidence: `${path}, ${formatBytes(found.size)}`,
    ...(writable ? {} : { fix: 'Give write access to the file and to its folder: the log stands beside it.' }),
  });
  return [...findings, ...(await checkContent(path))];
}

async function checkDriver(): Promise<Finding> {
  const check = 'store.driver';
  try {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(':memory:', {});
    const { version } = connection.prepare('SELECT sqlite_version() AS version').get();
    connection.close();
    const builtIn = Number.parseInt(process.versions.node, 10) >= 24;
    const evidence = builtIn ? 'built into Node' : '@photostructure/sqlite';
    return { check, severity: 'ok', what: `SQLite ${version}`, evidence };
  } catch (error) {
    const fix = 'Install again for this platform: npm install; on an unusual one use Node 24 or newer.';
    return { check, severity: 'error', what: 'SQLite cannot be loaded', evidence: messageOf(error), fix };
  }
}

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const severity = freeBytes < NO_SPACE_BYTES ? 'error' : freeBytes < LITTLE_SPACE_BYTES ? 'warning' : 'ok';
  return {
    check: 'store.space',
    severity,
    what: severity === 'ok' ? 'There is room on the disk' : 'The disk is nearly full',
    evidence: `${formatBytes(freeBytes)} free at ${folder}`,
    ...(severity === 'ok' ? {} : { fix: 'Free some space; writes that find none are refused.' }),
  };
}

async function checkContent(path: string): Promise<Finding[]> {
  const check = 'store.content';
  const fix = 'See "The store" in the troubleshooting guide; do not delete the -wal file beside it.';
  const { DatabaseSync } = await loadDriver();
  try {
    const connection = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
    try {
      const { tables, ours } = connection
        .prepare(`SELECT count(*) AS tables, total(name = 'schema_migrations') AS ours FROM sqlite_schema`)
        .get();
      if (tables > 0 && !ours) {
        const otherFix = 'Choose another --directory; the file is left alone.';
        return [
          { check, severity: 'error', what: 'The file belongs to another program', evidence: path, fix: otherFix },
        ];
      }
      if (!ours) return [{ check, severity: 'info', what: 'The store is empty', evidence: 'no tables' }];
      const { quick_check: integrity } = connection.prepare('PRAGMA quick_check(1)').get();
      if (integrity !== 'ok') {
        return [{ check, severity: 'error', what: 'The store is damaged', evidence: integrity, fix }];
      }
      const { schema } = connection.prepare('SELECT max(number) AS schema FROM schema_migrations').get();
      return [{ check, severity: 'ok', what: 'The store is whole', evidence: 'quick_check: ok' }, checkSchema(schema)];
    } finally {
      connection.close();
    }
  } catch (error) {
    return [{ check, severity: 'error', what: 'The store cannot be read', evidence: messageOf(error), fix }];
  }
}

function checkSchema(schema: number): Finding {
  const known = migrations.length;
  const check = 'store.schema';
  const evidence = `schema ${schema}; this release knows ${known}`;
  if (schema > known) {
    return { check, severity: 'error', what: 'A newer Tenure wrote the store', evidence, fix: 'Upgrade Tenure.' };
  }
  if (schema < known) {
    return { check, severity: 'info', what: 'The store is brought up to date when it is opened next', evidence };
  }
  return { check, severity: 'ok', what: 'The schema is current', evidence };
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** What there is of the path to a folder, and whether a store can be made in it. */
async function nearestFolder(folder: string): Promise<{ folder: string; usable: boolean }> {
  const found = await stat(folder).catch(() => undefined);
  if (!found && folder !== dirname(folder)) return nearestFolder(dirname(folder));
  return { folder, usable: found?.isDirectory() === true && (await isWritable(folder)) };
}

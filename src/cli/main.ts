#!/usr/bin/env node
/**
 * The command `tenure`: the process around `run`.
 *
 * The first SIGINT or SIGTERM asks the command to stop and close. After it the system's own handling holds, so the second ends the
 * process at once, even when it is stuck in a call that never returns: `process.exit` would wait for that. The exit code is set and
 * the process ends by itself, so that what was written is out and a handle that was not closed shows.
 */
import { addAbortSignal } from 'node:stream';
import { systemClock } from '../base/clock.ts';
import { EXIT, InterruptedError, reportFailure } from './exit.ts';
import { run } from './run.ts';
import { Terminal, whenUnwritable } from './terminal.ts';

const { stdout, stderr, env: environment } = process;
const args = process.argv.slice(2);

let isUnwritable = false;
const onUnwritable = (error: Error) => {
  isUnwritable = true;
  const terminal = new Terminal({ stdout, stderr, environment, json: args.includes('--json') });
  process.exitCode = reportFailure(error, terminal);
};
whenUnwritable(stdout, onUnwritable);
whenUnwritable(stderr, onUnwritable);

const stop = new AbortController();
const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  stop.abort(new InterruptedError(signal));
};
process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

/** Opened when it is read; ends when we are told to stop, though nobody closes it. */
const stdin = {
  [Symbol.asyncIterator]: () => addAbortSignal(stop.signal, process.stdin)[Symbol.asyncIterator](),
};

const exitCode = await run(args, {
  stdout,
  stderr,
  stdin,
  environment,
  clock: systemClock,
  signal: stop.signal,
  openNode: async (options) => (await import('../platform/tenure.ts')).Tenure.open(options),
});
// A stream may fail before the command ends or after it.
process.exitCode = isUnwritable ? EXIT.failed : exitCode;

#!/usr/bin/env node
/**
 * The command `tenure`: the process around `run`.
 *
 * The first SIGINT or SIGTERM asks the command to stop and close; the second ends the process at once. The exit code is set and the
 * process ends by itself, so that what was written is out and a handle that was not closed shows.
 */
import { addAbortSignal } from 'node:stream';
import { systemClock } from '../base/clock.ts';
import { InterruptedError } from './exit.ts';
import { run } from './run.ts';
import { ignoreClosedPipe } from './terminal.ts';

ignoreClosedPipe(process.stdout);
ignoreClosedPipe(process.stderr);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const interrupted = new InterruptedError(signal);
    if (stop.signal.aborted) process.exit(interrupted.exitCode);
    stop.abort(interrupted);
  });
}

/** Opened when it is read; ends when we are told to stop, though nobody closes it. */
const stdin = {
  [Symbol.asyncIterator]: () => addAbortSignal(stop.signal, process.stdin)[Symbol.asyncIterator](),
};

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin,
  environment: process.env,
  clock: systemClock,
  signal: stop.signal,
  openNode: async (options) => (await import('../platform/tenure.ts')).Tenure.open(options),
});

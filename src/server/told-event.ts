/**
 * An event as it is sent: its fields, and the line of the log for it, so that a page needs no words of its own.
 *
 * `severity` is the line's: an alert that is over is told as `info`, whatever it was while it stood.
 */
import type { TenureEventBase } from '../base/events.ts';
import { describeEvent } from '../platform/event-lines.ts';
import type { NodeEvent } from './wire.ts';

export function toldEvent(event: TenureEventBase): NodeEvent {
  return { ...event, ...describeEvent(event) };
}

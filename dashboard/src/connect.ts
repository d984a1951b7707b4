/**
 * Joins the wire to the signals.
 *
 * Readings wait for the next frame and are applied together, so four a second, or forty after a stall, cost one paint. While the tab is
 * hidden nothing is asked and nothing is drawn; coming back fills the gap from stored history.
 */
import { batch, effect } from '@preact/signals';
import { fetchEvents, fetchStatus, RequestError } from './api.ts';
import { browserClock } from './clock.ts';
import { announce } from './state/announce.ts';
import { append, load, stopLoading } from './state/chart.ts';
import { connection, events, eventsFailure, level, live, status, statusFailure } from './state/node.ts';
import { startSeconds } from './state/now.ts';
import { type Connection, Stream } from './stream.ts';
import { sampleOfReading } from './trace.ts';
import type { Moment, NodeEvent } from './wire.ts';
import { headline } from './words.ts';

const STATUS_EVERY_MS = 5000;
const EVENTS_KEPT = 100;

const stream = new Stream({ clock: browserClock, onConnection, onReading, onEvent });

let stopSeconds = () => {};
let cancelStatus = () => {};

/** Starts the page. */
export function connect(): void {
  document.addEventListener('visibilitychange', follow);
  follow();
  speakOfChanges();
}

/** Does not wait for the next attempt. */
export function retryNow(): void {
  stream.resume();
}

function follow(): void {
  stopSeconds();
  if (document.hidden) {
    stream.pause();
  } else {
    stopSeconds = startSeconds();
    stream.resume();
  }
}

function onConnection(next: Connection): void {
  connection.value = next;
  cancelStatus();
  stopLoading();
  if (next.state !== 'live') return;
  void refreshEvents();
  // The status first: windows of history end at the server's time, not at the browser's.
  void refreshStatus().then(load);
}

/** What has come since the last frame. */
let readings: Moment[] = [];
let happened: NodeEvent[] = [];

function onReading(reading: Moment): void {
  scheduleFrame();
  readings.push(reading);
}

function onEvent(event: NodeEvent): void {
  scheduleFrame();
  happened.unshift(event);
}

function scheduleFrame(): void {
  if (readings.length === 0 && happened.length === 0) requestAnimationFrame(applyFrame);
}

function applyFrame(): void {
  batch(() => {
    const newest = readings.at(-1);
    if (newest) live.value = newest;
    append(readings.map(sampleOfReading));
    if (happened.length > 0) events.value = [...happened, ...events.value].slice(0, EVENTS_KEPT);
  });
  // Alerts are part of the status, and should not wait for its turn.
  if (happened.some(({ type }) => type.startsWith('pressure.alert'))) void refreshStatus();
  readings = [];
  happened = [];
}

async function refreshStatus(): Promise<void> {
  cancelStatus();
  statusFailure.value = await outcome(fetchStatus(), (fetched) => {
    status.value = fetched;
    live.value ??= fetched;
  });
  cancelStatus();
  if (connection.value.state === 'live') cancelStatus = browserClock.after(STATUS_EVERY_MS, () => void refreshStatus());
}

async function refreshEvents(): Promise<void> {
  eventsFailure.value = await outcome(fetchEvents(EVENTS_KEPT), (fetched) => {
    events.value = fetched;
  });
}

async function outcome<T>(request: Promise<T>, take: (value: T) => void): Promise<RequestError | null> {
  try {
    take(await request);
    return null;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    // A server that is gone is told of once, at the top.
    return connection.value.state === 'live' ? error : null;
  }
}

/** Level and connection, said once per change and never for what the page opens with. */
function speakOfChanges(): void {
  let spokenLevel = level.value;
  let lost = false;
  effect(() => {
    const next = level.value;
    if (next !== null && spokenLevel !== null && next !== spokenLevel) announce(headline(next));
    spokenLevel = next ?? spokenLevel;
    if (next) document.title = `${next === 'low' ? '' : `${next}: `}Tenure`;
  });
  effect(() => {
    const { state } = connection.value;
    if (state === 'waiting' && !lost) announce('The server does not answer. Reconnecting.');
    if (state === 'live' && lost) announce('Connected again.');
    if (state === 'waiting' || state === 'live') lost = state === 'waiting';
  });
}

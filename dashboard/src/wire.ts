/** What the server says and is told, by its own types: sizes are bytes, times milliseconds since the epoch. Types only; no code. */
import type { Answer } from '../../src/server/wire.ts';

export type {
  Answer,
  Budget,
  Consumer,
  History,
  HistoryPoint,
  Level,
  Moment,
  NodeEvent,
  NodeStatus,
  Problem,
  Reading,
} from '../../src/server/wire.ts';

export type AnswerSource = Answer['sources'][number];

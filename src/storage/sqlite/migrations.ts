/** Every migration of the embedded store, in order. Append only: a released one never changes. */
import type { Migration } from './migrate.ts';
import { readings } from './migrations/001-readings.ts';
import { memories } from './migrations/002-memories.ts';
import { textSegments } from './migrations/003-text-segments.ts';
import { usesAndTotals } from './migrations/004-uses-and-totals.ts';
import { sessions } from './migrations/005-sessions.ts';
import { embeddings } from './migrations/006-embeddings.ts';

export const migrations: readonly Migration[] = [readings, memories, textSegments, usesAndTotals, sessions, embeddings];

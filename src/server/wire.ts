/** The wire in types: what answers and requests look like as JSON. For the dashboard and other clients, as types only. */
import type { z } from '@hono/zod-openapi';
import type { budgetSchema, consumerSchema } from './schemas/budget.ts';
import type * as health from './schemas/health.ts';
import type * as help from './schemas/help.ts';
import type * as memory from './schemas/memory.ts';
import type * as monitoring from './schemas/monitoring.ts';
import type { alertSchema, assessmentSchema } from './schemas/pressure.ts';
import type { problemSchema } from './schemas/problem.ts';
import type { readingSchema } from './schemas/reading.ts';

export type { Level } from '../base/levels.ts';

export type Readiness = z.infer<typeof health.readinessSchema>;
export type MemoryHealth = z.infer<typeof health.memoryHealthSchema>;
export type Reading = z.infer<typeof readingSchema>;
export type Assessment = z.infer<typeof assessmentSchema>;
export type Consumer = z.infer<typeof consumerSchema>;
export type Budget = z.infer<typeof budgetSchema>;
/** Data of the stream's `reading`. */
export type Moment = z.infer<typeof monitoring.momentSchema>;
export type Alert = z.infer<typeof alertSchema>;
export type NodeStatus = z.infer<typeof monitoring.nodeStatusSchema>;
export type HistoryPoint = z.infer<typeof monitoring.historyPointSchema>;
export type History = z.infer<typeof monitoring.historySchema>;
/** Data of the stream's `event`. */
export type NodeEvent = z.infer<typeof monitoring.eventSchema>;
export type Scope = z.infer<typeof memory.scopeSchema>;
export type Memory = z.infer<typeof memory.memorySchema>;
export type RememberRequest = z.input<typeof memory.rememberSchema>;
export type RecallRequest = z.input<typeof memory.recallSchema>;
export type RecallAnswer = z.infer<typeof memory.recalledSchema>;
export type AskRequest = z.input<typeof help.askSchema>;
export type Answer = z.infer<typeof help.answerSchema>;
export type IngestAnswer = z.infer<typeof help.ingestedSchema>;
export type Problem = z.infer<typeof problemSchema>;

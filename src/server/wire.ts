/** What answers look like as JSON, in types, for the dashboard. Types only: importing this loads nothing. */
import type { z } from '@hono/zod-openapi';
import type { budgetSchema, consumerSchema } from './schemas/budget.ts';
import type * as help from './schemas/help.ts';
import type * as monitoring from './schemas/monitoring.ts';
import type { alertSchema } from './schemas/pressure.ts';
import type { problemSchema } from './schemas/problem.ts';
import type { readingSchema } from './schemas/reading.ts';

export type { Level } from '../base/levels.ts';

export type Reading = z.infer<typeof readingSchema>;
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
export type Answer = z.infer<typeof help.answerSchema>;
export type Problem = z.infer<typeof problemSchema>;

/**
 * The rooms of `src/`, lowest first: the one place that says who may import whom.
 *
 * A room may import itself and every room on a line before its own; rooms on one line are strangers. The fence
 * (`.dependency-cruiser.mjs`), the map in ARCHITECTURE.md and test/tidy all read this.
 */
export const lines = [
  { base: 'What every room uses and nobody owns: sizes, time, chance, levels, events, errors, scopes of resources.' },
  {
    budget:
      'Who may hold how many bytes: the tree of budgets, reservations, consumers, the order of reclaim, the estimator.',
    storage: 'What is durable: ports of the stores, migrations, and the adapters that fill the ports.',
  },
  {
    holders:
      'What is resident under the budget: caches, pools, sessions, vector indexes, streams; strangers to each other.',
    pressure: 'How the process is: sensors, the reading, the assessment, the responder, alerts.',
  },
  {
    'agent-memory': 'What an agent knows: remember, recall, ingest; later retention, archive and exchange.',
    insight: 'What the readings mean: trends, leaks, forecasts, anomalies.',
  },
  { governor: 'The slow planner: strategies, plans and their measured outcomes.' },
  { fleet: 'Many agents and nodes: the agent interface, coordinator, supervisor, transports.' },
  { agents: 'The built-in agents: help, performance monitor, heartbeat.' },
  { platform: 'Assembles one node: configuration, lifecycle, `Tenure.open()`.' },
  { integrations: 'Faces for frameworks that users already have, each behind its own subpath.' },
  {
    server: 'HTTP: routes, schemas, the event stream, the dashboard’s files.',
    testing: 'What users and our own tests need to test against Tenure: clocks, fakes, conformance suites.',
  },
  { cli: 'The command line, one file for each command.' },
];

/** Stands alone: imports nothing of ours, and nothing of ours imports it. */
export const alone = 'eslint-plugin';

/** Every room as `{ name, purpose, mayImport }`, lowest first. */
export const rooms = lines.flatMap((line, index) =>
  Object.entries(line).map(([name, purpose]) => ({
    name,
    purpose,
    mayImport: lines.slice(0, index).flatMap((lower) => Object.keys(lower)),
  })),
);

/** Public entries of the package at the root of `src/`: re-exports only. */
export const entries = ['index.ts', 'testing.ts', 'hono.ts', 'express.ts', 'fastify.ts'];

/** How near is the size estimate to the real heap, shape by shape, and what does it cost? */
import { MIB } from '../src/base/bytes.ts';
import { estimateBytes, survey } from '../src/budget/estimator.ts';
import { HeapScale, heapShapes } from '../src/testing/heap-shapes.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

export const bench: Bench = {
  name: 'estimator',
  question: 'How near is the estimated size of a value to the heap it really takes, and what does an estimate cost?',
  async run({ small }) {
    const runs = small ? 5 : 51;
    // Time first: full collections throw compiled code away.
    const nested = cost(nestedRecords(), runs);
    const costs = heapShapes.map((shape) => cost(shape.make(1), runs));
    const scale = new HeapScale({ estimate: estimateBytes, totalBytes: (small ? 2 : 16) * MIB });
    const errors: number[] = [];
    const rows = heapShapes.map((shape, index) => {
      const { realBytes, estimatedBytes } = scale.weigh(shape);
      const { medianNs, fastestNs, visitedNodes } = costs[index]!;
      const errorPercent = 100 * (estimatedBytes / realBytes - 1);
      errors.push(Math.abs(errorPercent));
      const bytes = [realBytes, estimatedBytes].map(Math.round);
      return [shape.name, ...bytes, errorPercent.toFixed(1), visitedNodes, Math.round(medianNs), Math.round(fastestNs)];
    });
    const perNode = (nanoseconds: number) => (nanoseconds / nested.visitedNodes).toFixed(0);
    return {
      columns: ['shape', 'real bytes', 'estimate', 'error %', 'values visited', 'ns, median', 'ns, fastest run'],
      rows,
      notes: [
        `Largest error ${Math.max(...errors).toFixed(1)} %, median ${median(errors).toFixed(1)} %, of ${errors.length} shapes.`,
        `A parsed array of 100 nested records: ${perNode(nested.medianNs)} ns for each of ${nested.visitedNodes} values visited (median of ${runs} runs; ${perNode(nested.fastestNs)} in the fastest).`,
        'Real bytes: growth of heapUsed + external after full collections, per copy of many, each estimated before. Of large values a sample is visited.',
      ],
    };
  },
};

function nestedRecords(): unknown {
  const record = (index: number) => ({
    id: index,
    title: `title ${index}`,
    tags: ['one', 'two'],
    nested: { score: index / 7, ok: true, note: `note number ${index}` },
  });
  return JSON.parse(JSON.stringify(Array.from({ length: 100 }, (_, index) => record(index))));
}

/** What one warm estimate takes. */
function cost(value: unknown, runs: number): { medianNs: number; fastestNs: number; visitedNodes: number } {
  const { visitedNodes } = survey(value);
  const repeats = Math.max(20, Math.ceil(20_000 / visitedNodes));
  const nanoseconds: number[] = [];
  for (let run = -5; run < runs; run++) {
    const started = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) estimateBytes(value);
    if (run >= 0) nanoseconds.push(((performance.now() - started) * 1e6) / repeats);
  }
  return { medianNs: median(nanoseconds), fastestNs: Math.min(...nanoseconds), visitedNodes };
}

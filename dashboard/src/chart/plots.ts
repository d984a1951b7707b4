/** The two uPlot instances behind the chart: how they look, and how they are fed in place. */
import uPlot from 'uplot';
import { formatBytes } from '../format.ts';
import { columnsOf, type Sample, scaleOf } from '../trace.ts';

export interface Plots {
  /** Shows the last `spanMs` up to the newest sample, or what there is of them. */
  feed(samples: readonly Sample[], spanMs: number): void;
  resize(): void;
  recolour(): void;
  destroy(): void;
}

const BYTES_HEIGHT = 290;
const SCORE_HEIGHT = 112;
const AXIS_WIDTH = 62;
/** Room on the right for half a label of time. */
const EDGE = 14;

/** In seconds; from a quarter of a minute to two days, none finer than its label can tell. */
const TIME_STEPS = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880].map((minutes) => minutes * 60);

/** A window is not drawn emptier than this share: a node that has just started shows its first minute, not a void. */
const LEAST_FILLED = 0.2;

/** Powers of two, so that ticks fall on 64, 128, 256 MB. */
const BYTE_STEPS = Array.from({ length: 42 }, (_, power) => 2 ** power);

const COLOURS = ['anon', 'heap', 'limit', 'score', 'ink-3', 'rule', 'moderate', 'high', 'critical'] as const;
type Palette = Record<(typeof COLOURS)[number], string>;

/** `onPoint` gets the time under the pointer, null when it leaves. */
export function makePlots(frame: HTMLElement, onPoint: (atMs: number | null) => void): Plots {
  let palette = readPalette();
  let topBytes = 1;
  const font = `12px ${getComputedStyle(frame).fontFamily}`;

  const ink = (name: keyof Palette) => () => palette[name];
  const axis = (options: uPlot.Axis): uPlot.Axis => ({
    font,
    stroke: ink('ink-3'),
    grid: { stroke: ink('rule'), width: 1 },
    ticks: { show: false },
    gap: 8,
    ...options,
  });
  const timeAxis = {
    space: 76,
    incrs: TIME_STEPS,
    values: (_: uPlot, seconds: number[], _axis: number, _space: number, step: number) =>
      seconds.map((second) => timeLabel(second, step)),
  };
  const cursor: uPlot.Cursor = { sync: { key: 'trace' }, y: false, drag: { setScale: false, x: false, y: false } };
  const common = { width: frame.clientWidth, legend: { show: false }, cursor };
  const stepped = uPlot.paths.stepped!({ align: 1 });

  const bytes = new uPlot(
    {
      ...common,
      height: BYTES_HEIGHT,
      padding: [8, EDGE, 0, 0],
      scales: { y: { range: () => [0, topBytes] } },
      axes: [
        axis({ ...timeAxis, size: 6, values: (_, seconds) => seconds.map(() => '') }),
        axis({
          size: AXIS_WIDTH,
          space: 44,
          incrs: BYTE_STEPS,
          values: (_, sizes) => sizes.map((size) => formatBytes(size)),
        }),
      ],
      series: [
        {},
        { points: { show: false } },
        { stroke: ink('anon'), width: 2, fill: () => faint(palette.anon, 0.07), points: { show: false } },
        { stroke: ink('heap'), width: 2, paths: stepped, points: { show: false } },
        { stroke: ink('limit'), width: 1.5, dash: [6, 5], points: { show: false } },
      ],
      bands: [{ series: [1, 2], fill: () => faint(palette.anon, 0.16) }],
      hooks: {
        setCursor: [({ cursor: { idx }, data }) => onPoint(idx == null ? null : data[0][idx]! * 1000)],
      },
    },
    [[], [], [], [], []],
    frame,
  );

  const score = new uPlot(
    {
      ...common,
      height: SCORE_HEIGHT,
      padding: [16, EDGE, 0, 0],
      scales: { y: { range: () => [0, 100] } },
      axes: [axis({ ...timeAxis, size: 26 }), axis({ size: AXIS_WIDTH, splits: () => [0, 70, 100] })],
      series: [
        {},
        { stroke: ink('score'), width: 1.5, fill: () => faint(palette.score, 0.06), points: { show: false } },
      ],
      hooks: { drawClear: [paintLevels] },
    },
    [[], []],
    frame,
  );

  /** Tints the stretch of each level that asks for something to be done. */
  function paintLevels(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const zones = [
      ['moderate', 70, 80],
      ['high', 80, 90],
      ['critical', 90, 100],
    ] as const;
    for (const [name, from, to] of zones) {
      const top = plot.valToPos(to, 'y', true);
      ctx.fillStyle = faint(palette[name], 0.13);
      ctx.fillRect(bbox.left, top, bbox.width, plot.valToPos(from, 'y', true) - top);
    }
  }

  return {
    feed(samples, spanMs) {
      const [seconds, peakAnon, anon, liveHeap, limit, scores] = columnsOf(samples);
      const scale = scaleOf(samples);
      topBytes = scale.topBytes;
      const max = seconds.at(-1) ?? 0;
      const filledMs = 1000 * (max - (seconds[0] ?? max));
      const range = { min: max - Math.min(spanMs, Math.max(filledMs, LEAST_FILLED * spanMs)) / 1000, max };
      for (const [plot, columns] of [
        [bytes, [peakAnon, anon, liveHeap, limit]],
        [score, [scores]],
      ] as const) {
        plot.batch(() => {
          plot.setData([seconds, ...columns], false);
          plot.setScale('x', range);
        });
      }
    },
    resize() {
      bytes.setSize({ width: frame.clientWidth, height: BYTES_HEIGHT });
      score.setSize({ width: frame.clientWidth, height: SCORE_HEIGHT });
    },
    recolour() {
      palette = readPalette();
      bytes.redraw();
      score.redraw();
    },
    destroy() {
      bytes.destroy();
      score.destroy();
    },
  };
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`)])) as Palette;
}

function faint(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${share * 100}%, transparent)`;
}

const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' });
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const SECOND = new Intl.DateTimeFormat(undefined, {
  minute: '2-digit',
  second: '2-digit',
  hour: '2-digit',
  hourCycle: 'h23',
});

function timeLabel(second: number, stepSeconds: number): string {
  return (stepSeconds < 60 ? SECOND : stepSeconds < 86_400 ? MINUTE : DAY).format(second * 1000);
}

/**
 * Two plots on one time axis: bytes above, the pressure score on its own scale below. One cursor runs through both.
 *
 * The plots are made once and then fed; making them anew four times a second would flicker and leave garbage. Canvases know no
 * style sheet, so colours are read from it when the theme changes.
 */
import { type Signal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { makePlots, type Plots } from '../chart/plots.ts';
import { shown } from '../state/chart.ts';
import { isDark } from '../state/theme.ts';

export function Chart({ pointedAtMs, label }: { pointedAtMs: Signal<number | null>; label: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const plots = useRef<Plots | null>(null);

  useEffect(() => {
    const made = makePlots(frame.current!, (atMs) => (pointedAtMs.value = atMs));
    plots.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(frame.current!);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, []);

  useSignalEffect(() => {
    isDark();
    plots.current?.recolour();
  });

  useSignalEffect(() => {
    const { window, samples } = shown.value;
    plots.current?.feed(samples, window.spanMs);
  });

  return <div class="chart" role="img" aria-label={label} ref={frame} />;
}

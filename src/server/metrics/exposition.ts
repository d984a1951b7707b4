/**
 * The text format that Prometheus reads (version 0.0.4): `# HELP`, `# TYPE`, then one line a sample.
 *
 * Names, labels and escapes follow the format's own grammar; a name that breaks it is a mistake of ours and throws. A family without
 * samples is left out, and so is a figure that is not known: an absent series says more than a zero.
 */
import { invariant } from '../../base/assert.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const NAME = /^[a-z_:][a-z0-9_:]*$/;

/** One series of a family; `undefined` where the figure is not known. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number | undefined;
}

/** All series of one name. */
export interface Family {
  readonly name: string;
  /** What the figure means, in one sentence. */
  readonly help: string;
  /** A counter only rises; a gauge does both. */
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** The families as one body. */
export function exposition(families: Iterable<Family>): string {
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const { name, help, type, samples } of families) {
    invariant(NAME.test(name) && !seen.has(name), `The metric ${name} is misnamed or written twice.`);
    seen.add(name);
    const known = samples.filter(({ value }) => value !== undefined);
    if (known.length === 0) continue;
    lines.push(`# HELP ${name} ${escaped(help, /[\\\n]/g)}`, `# TYPE ${name} ${type}`);
    for (const { labels = {}, value } of known) lines.push(`${name}${labelsOf(labels)} ${numberOf(value!)}`);
  }
  return `${lines.join('\n')}\n`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([label, value]) => {
    invariant(NAME.test(label), `The label ${label} is misnamed.`);
    return `${label}="${escaped(value, /[\\\n"]/g)}"`;
  });
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(text: string, which: RegExp): string {
  return text.replace(which, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

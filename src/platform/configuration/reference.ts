/** docs/configuration.md, written from the keys, so that it cannot say anything else than the code does. */
import { keyList, type NamedKey } from './keys.ts';

const HEAD = `# Configuration

Tenure runs without any. To change something, put a \`tenure.yml\` into the working directory (or name
another file), set an environment variable, or pass values in code. What code or the command line gives goes over the
environment, the environment over the file, and the file over the defaults below.

\`\`\`yaml
memory_management:
  limits: { memory_limit_mb: 2048, warning_threshold_mb: 1536, critical_threshold_mb: 1792 }
  alert_thresholds: { memory_usage_percent: 75 }
server: { port: 7341 }
store: { cache_mb: 32 }
\`\`\`

- 1 MB is 2^20 bytes. Numbers are written without units: the key says which unit it is in.
- A default marked *scales* is meant for a limit of 1 GB and follows the real limit. A value that you set stays as it is.
- Every mistake is reported at once, with file, line and column, and nothing starts until all are mended (code
  \`CONFIG_INVALID\`; \`CONFIG_UNREADABLE\` when the file cannot be read).
- The file is read again when it changes. A key marked *restart* takes effect at the next start; a file with a mistake, or
  one that was emptied or removed, is reported and the values in force stay.
- A key marked *no effect yet in this version* is checked, and nothing follows it; \`tenure doctor\` warns where one is set.
- A relative path starts at the folder of the file it is written in; from the environment or in code, at the working directory.
- An environment variable goes over its key. An empty one counts as not set; flags take \`true\`, \`1\`, \`yes\`, \`on\` and their opposites.
- In code a value has the name in the last column, in bytes and milliseconds: \`Tenure.open({ configuration: { limits: { memoryBytes: 2 ** 31 } } })\`.
`;

const ENVIRONMENT = `
## A production sample in the environment

What the tables mark so has no effect yet in this version.

\`\`\`sh
MEMORY_MAX_HEAP_MB=2048
MEMORY_MAX_STACK_MB=16
MEMORY_WARNING_THRESHOLD_MB=1536
MEMORY_CRITICAL_THRESHOLD_MB=1792
MEMORY_DB_POOL_SIZE=50
MEMORY_LLM_POOL_SIZE=20
MEMORY_HTTP_POOL_SIZE=100
MEMORY_MONITORING_INTERVAL_MS=10000
MEMORY_LEAK_THRESHOLD_MB=200
\`\`\`
`;

/** The whole reference as Markdown. */
export function configurationReference(): string {
  const groups = [...new Set(keyList.map(groupOf))];
  const sections = groups.map((group) =>
    section(
      group,
      keyList.filter((named) => groupOf(named) === group),
    ),
  );
  return [HEAD, ...sections, ENVIRONMENT].join('');
}

function section(group: string, members: readonly NamedKey[]): string {
  const rows = members.map(({ name, key }) => {
    const marks = [
      ...(key.scales ? ['*scales*'] : []),
      ...(key.restart ? ['*restart*'] : []),
      ...(key.noEffectYet ? ['*no effect yet in this version*'] : []),
    ];
    const meaning = [key.about, `Takes ${key.expected}.`, ...marks.map((mark) => `${mark}.`)].join(' ');
    const cells = [
      code(key.path.slice(group.length + 1)),
      code(show(key.default)),
      meaning,
      code(key.environment ?? ''),
      code(name),
    ];
    return `| ${cells.join(' | ')} |\n`;
  });
  return `\n## \`${group}\`\n\n| key | default | meaning | environment | in code |\n|---|---|---|---|---|\n${rows.join('')}`;
}

function groupOf({ key }: NamedKey): string {
  return key.path.slice(0, key.path.lastIndexOf('.'));
}

function show(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

/**
 * Secrets do not reach a log.
 *
 * Events carry none by rule; this is the second line: credentials in addresses, and values that stand beside a telling name,
 * are blanked in whatever is about to be written.
 */

const BLANK = '[hidden]';
const TELLING = 'password|passwd|secret|token|api[-_]?key|authorization|credentials?';
const TELLING_NAME = new RegExp(`(^|[^a-z])(${TELLING})$`, 'i');
const TELLING_PAIR = new RegExp(
  `\\b(${TELLING})(["']?\\s*[=:]\\s*)(?:(?:bearer|basic)\\s+)?("[^"]*"|'[^']*'|[^\\s,;&]+)`,
  'gi',
);
const ADDRESS_CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** `text` with everything blanked that looks like a secret. */
export function withoutSecrets(text: string): string {
  return text.replace(ADDRESS_CREDENTIALS, `$1${BLANK}@`).replace(TELLING_PAIR, `$1$2${BLANK}`);
}

/** Fields of an event with every secret blanked: values under a telling name, and secrets within texts. */
export function hideSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const words = name.replaceAll(/([a-z])([A-Z])/g, '$1_$2');
      return [name, typeof value === 'string' && TELLING_NAME.test(words) ? BLANK : withoutSecretsIn(value)];
    }),
  );
}

function withoutSecretsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretsIn);
  if (typeof value === 'object' && value !== null) return hideSecrets(value as Record<string, unknown>);
  return typeof value === 'string' ? withoutSecrets(value) : value;
}

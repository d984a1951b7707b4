/** What `doctor` says of one thing: how serious it is, what it is, the evidence, and what to do. */

export type Severity = 'ok' | 'info' | 'warning' | 'error';

export interface Finding {
  /** Dotted and stable, such as `heap.limit`. */
  readonly check: string;
  readonly severity: Severity;
  readonly what: string;
  /** The figures it rests on. */
  readonly evidence: string;
  readonly fix?: string;
}

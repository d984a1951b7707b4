/**
 * What a sensor is.
 *
 * A sensor fills a part of the reading, synchronously and in microseconds: files are read through descriptors kept open, nothing is
 * allocated that can be kept. What its platform does not have is left out, without error; a sensor that throws is broken,
 * and the monitor skips and reports it. Disposing one closes its descriptors and observers; doing it twice is harmless.
 */
import type { Reading } from '../reading.ts';

/** The fields a sensor knows; `undefined` says that there is nothing to know any more. */
export type ReadingPart = { readonly [Field in keyof Reading]?: Reading[Field] | undefined };

export interface Sensor extends Disposable {
  readonly name: string;
  read(): ReadingPart;
}

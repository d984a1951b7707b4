/** What a screen reader is told unasked: changes of level and connection, and that an answer has come. Nothing else. */
import { signal } from '@preact/signals';

export const announcement = signal('');

export function announce(sentence: string): void {
  announcement.value = sentence;
}

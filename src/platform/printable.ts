/** Text that somebody else wrote — a memory, a file's name, a key in YAML — made safe to show: it cannot paint the screen. */

/** Everything but line ends and tabs that would move the cursor or change colours. */
const CONTROLS = /[^\P{Cc}\n\t]/gu;

/** `text` with control characters as `\u001b`, so that one sees which; what was JSON is the same JSON still. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

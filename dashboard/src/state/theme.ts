/** Light, dark, or as the system says. The choice is remembered; `theme-script.ts` applies it before the first paint. */
import { signal } from '@preact/signals';
import { applyTheme, readTheme, type Theme, writeTheme } from '../theme.ts';

export const theme = signal<Theme>(readTheme());

const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(darkSystem.matches);
darkSystem.addEventListener('change', ({ matches }) => {
  systemIsDark.value = matches;
});

/** What is seen: canvases, which do not follow style sheets, redraw by it. */
export function isDark(): boolean {
  return theme.value === 'system' ? systemIsDark.value : theme.value === 'dark';
}

export function setTheme(choice: Theme): void {
  applyTheme(choice);
  writeTheme(choice);
  theme.value = choice;
}

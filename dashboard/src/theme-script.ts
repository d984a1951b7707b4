/** Runs in the head, before anything is painted: a page that turns dark a moment later dazzles. */
import { applyTheme, readTheme } from './theme.ts';

applyTheme(readTheme());

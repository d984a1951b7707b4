/** Puts the page in place and connects it. */
import { render } from 'preact';
import { Page } from './components/page.tsx';
import { connect } from './connect.ts';

render(<Page />, document.getElementById('page')!);
connect();

/** The page from top to bottom: how it stands, how it came to it, who holds what, what can be asked. */
import { announcement } from '../state/announce.ts';
import { Alerts } from './alerts.tsx';
import { Consumers } from './consumers.tsx';
import { Events } from './events.tsx';
import { Figures } from './figures.tsx';
import { Footer } from './footer.tsx';
import { Holders } from './holders.tsx';
import { Masthead } from './masthead.tsx';
import { Opportunities } from './opportunities.tsx';
import { Question } from './question.tsx';
import { Standing } from './standing.tsx';
import { Trace } from './trace.tsx';

export function Page() {
  return (
    <>
      <a class="skip" href="#question">
        Skip to the question box
      </a>
      <Masthead />
      <main>
        <Standing />
        <Alerts />
        <div class="split split-chart">
          <div class="column">
            <Trace />
            <Opportunities />
          </div>
          <Figures />
        </div>
        <div class="split">
          <div class="column">
            <Consumers />
            <Holders />
            <Question />
          </div>
          <Events />
        </div>
      </main>
      <Footer />
      <p class="unseen" role="status">
        {announcement}
      </p>
    </>
  );
}

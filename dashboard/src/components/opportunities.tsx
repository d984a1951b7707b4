/** What could be had back, as the server says it; nothing at all when there is nothing. */
import { status } from '../state/node.ts';

export function Opportunities() {
  const opportunities = status.value?.opportunities ?? [];
  if (opportunities.length === 0) return null;
  return (
    <section class="opportunities" aria-labelledby="opportunities">
      <h2 id="opportunities">What could be gained</h2>
      <ul>
        {opportunities.map((opportunity) => (
          <li key={opportunity}>{opportunity}</li>
        ))}
      </ul>
    </section>
  );
}

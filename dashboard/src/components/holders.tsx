/** How what lives under the budget does its work: hits, loans, sessions in memory and on the disk, work taken and refused. */
import type { ComponentChildren } from 'preact';
import { formatBytes } from '../format.ts';
import { status } from '../state/node.ts';
import type { NodeStatus } from '../wire.ts';

const count = new Intl.NumberFormat('en');
const CIRCUITS = { closed: 'takes work', open: 'refuses at once', half_open: 'tries one' };

export function Holders() {
  const node = status.value;
  return (
    <section aria-labelledby="holders">
      <h2 id="holders">Holders at work</h2>
      {node && (
        <>
          <Caches caches={node.caches} />
          <Pools pools={node.pools} />
          <Sessions sessions={node.sessions} />
          <Admission admission={node.admission} />
        </>
      )}
    </section>
  );
}

function Caches({ caches }: Pick<NodeStatus, 'caches'>) {
  return (
    <Table name="Caches" columns={['Hits', 'Entries', 'Bytes', 'Evicted']} empty={caches.length === 0}>
      {caches.map(({ name, policy, hitRatio, hits, misses, entries, bytes, maxBytes, evictions }) => (
        <Row key={name} name={name} note={policy}>
          <td>{hits + misses === 0 ? '–' : `${(100 * hitRatio).toFixed(1)} %`}</td>
          <td>{count.format(entries)}</td>
          <td>
            {formatBytes(bytes, 1)}
            {maxBytes !== null && <small> of {formatBytes(maxBytes)}</small>}
          </td>
          <td>{count.format(sum(evictions, ['capacity', 'pressure', 'quota']))}</td>
        </Row>
      ))}
    </Table>
  );
}

function Pools({ pools }: Pick<NodeStatus, 'pools'>) {
  return (
    <Table name="Pools" columns={['Lent', 'Alive', 'Waiting', 'Wait p99']} empty={pools.length === 0}>
      {pools.map(({ name, borrowed, size, max, waiting, waitMs }) => (
        <Row key={name} name={name}>
          <td>{count.format(borrowed)}</td>
          <td>
            {count.format(size)}
            <small> of {count.format(max)}</small>
          </td>
          <td>{count.format(waiting)}</td>
          <td>{waitMs.p99 < 1 ? 'under 1 ms' : `${count.format(Math.round(waitMs.p99))} ms`}</td>
        </Row>
      ))}
    </Table>
  );
}

function Sessions({ sessions }: Pick<NodeStatus, 'sessions'>) {
  return (
    <Table name="Sessions" columns={['In memory', 'Bytes', 'To disk', 'Read back']} empty={sessions.length === 0}>
      {sessions.map(({ name, live, max, bytes, spilled, loaded }) => (
        <Row key={name} name={name}>
          <td>
            {count.format(live)}
            <small> of {count.format(max)}</small>
          </td>
          <td>{formatBytes(bytes, 1)}</td>
          <td>{count.format(spilled)}</td>
          <td>{count.format(loaded)}</td>
        </Row>
      ))}
    </Table>
  );
}

function Admission({ admission }: Pick<NodeStatus, 'admission'>) {
  const { admitted, refused, openTickets, openBytes, circuit } = admission;
  const refusals = Object.values(refused).reduce((sum, each) => sum + each, 0);
  return (
    <Table name="Admission" columns={['Under way', 'Holding', 'Taken', 'Refused']} empty={false}>
      <Row name="Requests" note={CIRCUITS[circuit]}>
        <td>{count.format(openTickets)}</td>
        <td>{formatBytes(openBytes, 1)}</td>
        <td>{count.format(admitted)}</td>
        <td>{count.format(refusals)}</td>
      </Row>
    </Table>
  );
}

function sum(figures: Readonly<Record<string, number>>, causes: readonly string[]): number {
  return causes.reduce((total, cause) => total + (figures[cause] ?? 0), 0);
}

/** A kind of holder of which there is none is left out. */
function Table(props: { name: string; columns: readonly string[]; empty: boolean; children: ComponentChildren }) {
  if (props.empty) return null;
  return (
    <table class="holders">
      <thead>
        <tr>
          <th scope="col">{props.name}</th>
          {props.columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  );
}

function Row({ name, note, children }: { name: string; note?: string; children: ComponentChildren }) {
  return (
    <tr>
      <th scope="row">
        {name}
        {note && <small> {note}</small>}
      </th>
      {children}
    </tr>
  );
}

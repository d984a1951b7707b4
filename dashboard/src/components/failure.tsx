/** Something could not be had: what, why, the code to search for, and a way to try again. */
import type { RequestError } from '../api.ts';

export function Failure(props: { what: string; error: RequestError; retry?: () => void }) {
  return (
    <div class="failure">
      <p>
        <b>{props.what}</b> {props.error.message} <code>{props.error.code}</code>
      </p>
      {props.retry && (
        <button type="button" class="quiet" onClick={props.retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/**
 * Lists in requests: their length is checked before their elements, and their elements until a few are wrong.
 *
 * Validation makes an object for each problem it finds; a hundred thousand wrong elements would take a second, and nobody reads more
 * than the first.
 */
import { z } from '@hono/zod-openapi';

/** Elements that are found wrong before the rest is not looked at. */
const WRONG_ELEMENTS = 3;

/** A list of at most `limit` elements; `described` is the schema of an element, as the description of the API has it. */
export function boundedList<Element extends z.ZodType>(
  element: Element,
  { limit, described }: { limit: number; described: Readonly<Record<string, unknown>> },
) {
  return z
    .array(z.unknown())
    .max(limit)
    .transform((values, context) => {
      const checked: z.output<Element>[] = [];
      let wrong = 0;
      for (const [index, value] of values.entries()) {
        const result = element.safeParse(value);
        if (result.success) checked.push(result.data);
        else {
          for (const issue of result.error.issues)
            context.issues.push({ ...issue, input: value, path: [index, ...issue.path] } as never);
          if (++wrong === WRONG_ELEMENTS) break;
        }
      }
      return wrong > 0 ? z.NEVER : checked;
    })
    .openapi({ type: 'array', maxItems: limit, items: described });
}

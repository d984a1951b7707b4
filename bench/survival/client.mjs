/**
 * The users of the agent server, as HTTP sees them: one request over a kept-alive connection, and what became of it.
 *
 * - `served`: the answer was 200 and is the right one;
 * - `refused`: the server said that it is too busy (503, 429), as overload protection should;
 * - `gone`: the server does not know any more what it was asked for (401, 404);
 * - `failed`: anything else: no connection, a connection that broke, no answer in time, a server error, a wrong answer.
 */
import { Agent, request as httpRequest } from 'node:http';

/** @typedef {{ outcome: 'served' | 'refused' | 'gone' | 'failed', body?: any, cookie?: string, why?: string }} Reply */

export class Client {
  #port;
  #patienceMs;
  #agent = new Agent({ keepAlive: true });

  /** @param {{ port: number, patienceMs: number }} options Who has no answer after `patienceMs` gives up. */
  constructor({ port, patienceMs }) {
    this.#port = port;
    this.#patienceMs = patienceMs;
  }

  /**
   * @param {string} path
   * @param {{ body?: string, cookie?: string }} [options] With a body the request is a POST.
   * @returns {Promise<Reply>} Never rejects.
   */
  async ask(path, options = {}) {
    const first = await this.#once(path, options);
    // The server may close an idle connection just as it is used again; that is HTTP, not the server's failure.
    return first.reused && first.why === 'ECONNRESET' ? this.#once(path, options) : first;
  }

  close() {
    this.#agent.destroy();
  }

  #once(path, { body, cookie }) {
    return new Promise((resolve) => {
      const request = httpRequest({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...(cookie !== undefined && { cookie }),
        },
      });
      const fail = (why) => resolve({ outcome: 'failed', why, reused: request.reusedSocket });
      const timer = setTimeout(() => {
        fail('no answer in time');
        request.destroy();
      }, this.#patienceMs);
      request.on('error', (error) => {
        clearTimeout(timer);
        fail(error.code ?? error.message);
      });
      request.on('response', (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', (error) => fail(error.code ?? error.message));
        response.on('close', () => clearTimeout(timer));
        response.on('end', () => resolve(reply(response, Buffer.concat(chunks))));
      });
      request.end(body);
    });
  }
}

function reply({ statusCode, headers }, bytes) {
  if (statusCode === 503 || statusCode === 429) return { outcome: 'refused' };
  if (statusCode === 401 || statusCode === 404) return { outcome: 'gone' };
  if (statusCode !== 200) return { outcome: 'failed', why: `status ${statusCode}` };
  const cookie = headers['set-cookie']?.[0]?.split(';')[0];
  return { outcome: 'served', body: JSON.parse(bytes.toString()), ...(cookie !== undefined && { cookie }) };
}

// Requests from standard input, one after the other, and replies to standard output. Does not know the operations.
import { createInterface } from 'node:readline';

// Libraries that print would spoil the replies.
for (const name of ['log', 'info', 'debug', 'warn', 'error']) console[name] = () => {};

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const un = (text) => {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new TypeError('hexadecimal digits expected');
  return Buffer.from(text, 'hex');
};

export async function serve(operations) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, op, ...rest } = JSON.parse(line);
    let reply;
    try {
      reply = { id, ok: true, result: await operations[op](rest) };
    } catch (error) {
      reply = { id, ok: false, error: { name: error?.name ?? 'Error', code: null, message: String(error?.message ?? error) } };
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
  }
  process.exit(0);
}

import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Response } from 'undici';

/** The lines of a stream; it is closed however the reading ends, since nothing handles its errors later. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const input = Readable.fromWeb(response.body);
  input.on('error', () => undefined);
  try {
    yield* createInterface({ input });
  } finally {
    input.destroy();
  }
}

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { rejection } from '../../rejection.ts';
import { configFor } from '../server.ts';

/** What a server says whose certificate is for 127.0.0.1, by another name of it; `names` are those that it is asked for. */
async function answer(tlsServerName: string): Promise<{ readonly text: Promise<string>; readonly names: unknown[] }> {
  const certificate = makeCertificate();
  const names: unknown[] = [];
  const note = (name: string, done: (error: Error | null) => void): void => {
    names.push(name);
    done(null);
  };
  const server = createServer({ ...certificate, SNICallback: note }, (_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = configFor(`https://localhost:${(server.address() as AddressInfo).port}`);
  const cluster = { ...target.cluster, certificateAuthority: certificate.cert, tlsServerName };
  const client = new RestClient(new Transport({ ...target, cluster }), new AbortController().signal);
  return { text: client.text({ method: 'GET', path: '/readyz', retries: 0 }), names };
}

describe('tls-server-name', () => {
  it('may be an address, by which the certificate is verified, and which is not sent', async () => {
    const { text, names } = await answer('127.0.0.1');
    expect(await text).toBe('ok');
    expect(names).not.toContain('127.0.0.1');
  });

  it.each(['127.0.0.2', 'api.example.com'])('that the certificate does not have is refused: %s', async (name) => {
    const { text } = await answer(name);
    expect(await rejection(text)).toMatchObject({
      code: 'KNEST_HOST_UNREACHABLE',
      problem: expect.stringMatching(/altnames/) as string,
    });
  });
});

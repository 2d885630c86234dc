import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ApiGaps } from '../../../../src/cluster/upgrade/api-gaps.ts';
import { until } from '../../../host/process.ts';
import { makeCertificate } from '../../../support/certificate.ts';

/** A server that answers new connections, and, from a moment that the test sets, not those that it has. */
it('the gaps of an API are longer on a connection that is kept and hangs', async () => {
  const certificate = makeCertificate();
  const hanging = new Set<Socket>();
  const asked = new Map<Socket, number>();
  let hangs = false;
  const server = createServer(certificate, ({ socket }, response) => {
    asked.set(socket, (asked.get(socket) ?? 0) + 1);
    if (hangs && (asked.get(socket) ?? 0) > 1) hanging.add(socket);
    if (!hanging.has(socket)) response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const ca = Buffer.from(certificate.cert).toString('base64');
  const cluster = {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'certificate-authority-data': ca,
  };
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'nested',
    clusters: [{ name: 'nested', cluster }],
    users: [{ name: 'nested', user: { token: 'nested-token-1a2b' } }],
    contexts: [{ name: 'nested', context: { cluster: 'nested', user: 'nested' } }],
  });
  const gaps = new ApiGaps(kubeconfig, new AbortController().signal);
  const isKept = (): boolean => [...asked.values()].some((count) => count > 2);
  await until('a connection that is kept', 10_000, () => Promise.resolve(isKept()));
  hangs = true;
  await until('a hanging connection', 10_000, () => Promise.resolve(hanging.size > 0));
  hangs = false;
  await until('an end of the hanging request', 15_000, () =>
    Promise.resolve([...hanging].every(({ destroyed }) => destroyed)),
  );
  const { fresh, kept } = await gaps.end();
  expect(kept.seconds).toBeGreaterThan(4.5);
  expect(fresh.seconds).toBeLessThan(kept.seconds);
  expect(Math.min(kept.answers, fresh.answers)).toBeGreaterThan(1);
});

import { afterAll, describe, expect, it } from 'vitest';
import type { StepResult } from '../support/runner.ts';
import { CLUSTERCTL } from './cluster-host.ts';
import { annotations, atFirstRequest, cleanUp, makeJob, startMirror, startServer } from './support.ts';

afterAll(cleanUp);

/** One error with a code, and no line of the bundle, which is all of it. */
function expectOneError(result: StepResult, text: string): void {
  expect(annotations(result, 'error')).toEqual([text]);
  expect(result.exitCode).toBe(1);
  expect(result.log.length).toBeLessThan(20_000);
}

describe('a crash of main', () => {
  it.each([
    ['a rejection that nobody waits for', "void Promise.reject(new Error('boom'))"],
    ['an error that nobody catches', "setTimeout(() => { throw new Error('boom') })"],
  ])('ends in one error with a code: %s', async (_what, code) => {
    const server = await startServer({ answer: () => 'silence' });
    const inputs = { command: 'list', 'host-kubeconfig': server.kubeconfig() };
    const result = await makeJob(inputs, { env: atFirstRequest(code) }).main();
    expectOneError(result, 'an unexpected error: boom (KNEST_INTERNAL)');
    expect(result.summary).toContain('boom');
  });
});

it('a timeout while cert-manager does not start is one error, and releases the Lease', async () => {
  let lease: object | undefined;
  const server = await startServer({
    isAdministrator: true,
    answer: ({ method, path, body }) => {
      if (!path.includes('/leases')) return undefined;
      if (method === 'GET') return lease === undefined ? undefined : { status: 200, body: lease };
      return { status: 200, body: (lease = body as object) };
    },
  });
  const job = makeJob({
    infrastructure: 'in-memory',
    timeout: '6s',
    'host-kubeconfig': server.kubeconfig(),
    ...(await startMirror((path) => (path.includes('/clusterctl-') ? CLUSTERCTL : 'kind: List'))),
  });
  const result = await job.main();
  expectOneError(result, 'timed out after 6s (KNEST_TIMEOUT)');
  expect(result.log).toContain('Deployment capi-system/capi-controller-manager is missing');
  expect(lease).toMatchObject({ spec: { holderIdentity: '' } });
});

import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../../src/install/inventory.ts';
import type { RunProcess } from '../../../src/runner/process.ts';
import { json, type Handler, type Received } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { installOn } from './install-on.ts';

describe('an installed component', () => {
  const writes = (received: readonly Received[]): readonly Received[] =>
    received.filter(({ method }) => method !== 'GET');
  const never: RunProcess = async () => Promise.reject(new Error('no program is run'));
  const handler: Handler = (response) => json(response, { items: [] });
  const without =
    (name: string) =>
    (inventory: Inventory): Inventory => ({
      ...inventory,
      deployments: inventory.deployments.filter(({ metadata }) => metadata.name !== name),
    });
  /** Records the command lines of programs, and runs none. Aborts the installation after the line with `last`. */
  function notedUntil(last: string): {
    readonly lines: string[];
    readonly run: RunProcess;
    readonly signal: AbortSignal;
  } {
    const [lines, over] = [[] as string[], new AbortController()];
    const run: RunProcess = async (_program, args) => {
      lines.push(args.join(' '));
      if (lines.at(-1)?.includes(last) === true) over.abort(new Error('seen enough'));
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    };
    return { lines, run, signal: over.signal };
  }

  it('is waited for while it is not running, and is never applied again', async () => {
    const down = { type: 'Available', status: 'False', message: 'no replicas' } as const;
    const { ended, received } = await installOn(handler, never, {
      infrastructure: 'in-memory',
      present: 5,
      look: (inventory) => ({
        ...inventory,
        deployments: inventory.deployments.map((one) => ({ ...one, status: { conditions: [down] } })),
      }),
    });
    expect(await ended).toEqual({ installed: [], result: 'nothing missing' });
    expect(received.some(({ path }) => path.startsWith('/apis/apps/v1/deployments?'))).toBe(true);
    expect(writes(received)).toEqual([]);
  });

  it('is refused when others installed it incompletely', async () => {
    const { ended, received } = await installOn(handler, never, {
      infrastructure: 'in-memory',
      host: without('cert-manager-webhook'),
    });
    expect(await rejection(ended)).toMatchObject({
      code: 'KNEST_INSTALL',
      problem: 'cert-manager is only partly installed on this host, and not by this action',
      evidence: expect.arrayContaining(['Deployment cert-manager/cert-manager-webhook is missing']) as string[],
    });
    expect(writes(received)).toEqual([]);
  });

  it('is completed when this action began to install it, after a record of that', async () => {
    const { lines, run, signal } = notedUntil('generate provider');
    const begun = new Map([['Cluster API', 'v1.12.1']]);
    const { ended, received } = await installOn(handler, run, {
      infrastructure: 'in-memory',
      present: 5,
      signal,
      host: (inventory) => ({ ...without('capi-controller-manager')(inventory), begun }),
    });
    await rejection(ended);
    expect(lines).toEqual([expect.stringContaining('generate provider --core cluster-api:v1.12.1')]);
    const [first] = writes(received).filter(({ body }) => body.includes('knest-action/installing'));
    expect(first?.body).toContain(JSON.stringify(JSON.stringify({ 'Cluster API': 'v1.12.1' })));
  });

  it('does not run clusterctl init for a Cluster API without a record of clusterctl', async () => {
    const { lines, run, signal } = notedUntil('--infrastructure');
    const { ended } = await installOn(handler, run, {
      infrastructure: 'in-memory',
      present: 4,
      signal,
      look: (all) => ({ ...all, providers: [] }),
    });
    await rejection(ended);
    expect(lines).toEqual([expect.stringContaining('generate provider --infrastructure docker:')]);
  });
});

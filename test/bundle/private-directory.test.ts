import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startPlanningMirror } from './cluster-host.ts';
import { annotations, cleanUp, lines, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

describe('without RUNNER_TEMP', () => {
  it('the action does not use a directory that another user may have filled, and the post step finds the files of main', async () => {
    const server = await startServer({ isAdministrator: true });
    const inputs = {
      name: 'demo',
      'host-kubeconfig': server.kubeconfig(),
      ...(await startPlanningMirror()),
    };
    const env = { RUNNER_TEMP: '' };
    const probe = makeJob(inputs);
    const planted = join(probe.temp, 'knest');
    mkdirSync(planted);
    chmodSync(planted, 0o777);
    const job = makeJob(inputs, { env: { ...env, TMPDIR: probe.temp } });
    const main = await job.main();
    expect(annotations(main, 'error')).toEqual([expect.stringMatching(/\(KNEST_(?:DOWNLOAD|CHECKSUM)\)$/)]);
    const { hostKubeconfigFile } = JSON.parse(main.state['host'] ?? '') as { hostKubeconfigFile: string };
    const directory = dirname(hostKubeconfigFile);
    expect(dirname(directory)).toBe(probe.temp);
    expect(directory).not.toBe(planted);
    expect(main.state['directory']).toBe(directory);
    expect(lines(main)).toContain(`▸ Private files are in ${directory}: RUNNER_TEMP is not set`);
    expect(readdirSync(planted)).toEqual([]);
    const post = await job.post('success');
    expect(annotations(post, 'warning')).toEqual([]);
    expect(lines(post)).toContainEqual(expect.stringContaining('demo is gone already, or was never created'));
  });
});

describe('an unusable RUNNER_TEMP', () => {
  it('is reported before any request', async () => {
    const server = await startServer();
    const job = makeJob({ 'host-kubeconfig': server.kubeconfig() }, { env: { RUNNER_TEMP: '/dev/null/temp' } });
    const result = await job.main();
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(/^cannot create a directory for private files: ENOTDIR.*\(KNEST_RUNNER\)$/),
    ]);
    expect(server.received).toEqual([]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { annotations, cleanUp, lines, makeJob, runMain, startServer } from './support.ts';

afterAll(cleanUp);

describe.concurrent('inputs that cannot be used', () => {
  it('are all reported at once, before any request', async () => {
    const server = await startServer();
    const result = await runMain({
      'host-kubeconfig': server.kubeconfig(),
      name: 'Not_A_Name',
      'kubernetes-version': '1.3x',
      'control-plane-machine-count': '2',
      'control-plane-machine-memory-size': '4GB',
      'pod-network-cidr': '10.95.0.0/33',
      'worker-machine-count': '-1',
    });
    expect(result.exitCode).toBe(1);
    const [annotation, ...others] = annotations(result, 'error');
    expect(annotation?.split('%0A')).toHaveLength(7);
    expect(annotation).toMatch(
      /^6 inputs cannot be used; nothing was created \(KNEST_INPUT\)%0Aname: "Not_A_Name" is not /,
    );
    expect(others).toEqual([]);
    expect(lines(result)).toEqual([
      '✖ 6 inputs cannot be used; nothing was created   KNEST_INPUT',
      'name: "Not_A_Name" is not a DNS label: lower-case letters, digits and "-", starting with a letter, ending with a letter or digit; for example not-a-name',
      'kubernetes-version: "1.3x" is not a version of Kubernetes; use for example 1.34, 1.34.1 or latest',
      'control-plane-machine-count: etcd needs an odd number of control-plane machines, from 1 to 9, not 2',
      'control-plane-machine-memory-size: "4GB" is not a valid Kubernetes quantity; use "4Gi" or "4G"',
      'worker-machine-count: "-1" is not a whole number from 0 to 1000',
      'pod-network-cidr: "10.95.0.0/33" is not a CIDR; for example 10.95.0.0/16',
    ]);
    expect(server.received).toEqual([]);
    expect(result.outputs).toEqual({});
  });

  it('are listed in the summary too', async () => {
    const { summary } = await runMain({ 'control-plane-machine-count': '0', timeout: 'soon' });
    expect(summary).toContain('### ✖ 2 inputs cannot be used; nothing was created (KNEST_INPUT)');
    expect(summary).toContain('control-plane-machine-count: "0" is not a whole number from 1 to 9');
    expect(summary).toContain('timeout: "soon" is not a duration; for example 90s, 20m, 4h or 1h30m');
  });

  it.each([
    [
      { command: 'destroy' },
      'command: "destroy" is not supported; use one of create, delete, scale, upgrade, kubeconfig, list, cleanup, pool',
    ],
    [{ command: 'delete' }, 'name: is missing; delete needs the name of a cluster'],
    [
      { 'pod-network-cidr': '10.95.0.0/16', 'service-cidr': '10.95.128.0/20' },
      'service-cidr: 10.95.128.0/20 overlaps pod-network-cidr (10.95.0.0/16)',
    ],
    [
      { 'cluster-api-version': 'v1.16.0' },
      expect.stringMatching(/^cluster-api-version: v1\.16\.0 .*v1beta1 contract.*; use Cluster API v1\.11 to v1\.15$/),
    ],
  ])('are reported: %j', async (inputs, problem) => {
    const result = await runMain(inputs);
    expect(result.exitCode).toBe(1);
    expect(lines(result)).toEqual(['✖ 1 input cannot be used; nothing was created   KNEST_INPUT', problem]);
  });
});

describe.concurrent('the kubeconfig of the host', () => {
  it('is required', async () => {
    const result = await runMain({});
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual(['there is no kubeconfig for the host cluster (KNEST_HOST_CONFIG)']);
    expect(result.log).toContain('host-kubeconfig, host-kubeconfig-file, KUBECONFIG, ~/.kube/config');
  });

  it('is refused when it is not YAML, without quoting it', async () => {
    const secret = 'AKIA0-very-secret';
    const job = makeJob({ 'host-kubeconfig': `users:\n- {token: "${secret}` });
    const result = await job.main();
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual([
      expect.stringMatching(
        /^host-kubeconfig is not a usable kubeconfig: it is not valid YAML .*\(KNEST_HOST_CONFIG\)$/,
      ),
    ]);
    expect(result.log + result.summary + JSON.stringify(result.state)).not.toContain(secret);
  });

  it('must be a file that exists', async () => {
    const result = await runMain({ 'host-kubeconfig-file': 'no/such/file' });
    expect(annotations(result, 'error')).toEqual([
      'host-kubeconfig-file: there is no file no/such/file (KNEST_HOST_CONFIG)',
    ]);
  });

  it('must have the context that host-context names', async () => {
    const server = await startServer();
    const result = await runMain({ 'host-kubeconfig': server.kubeconfig(), 'host-context': 'other' });
    expect(annotations(result, 'error')).toEqual([
      'host-context: host-kubeconfig has no context "other" (KNEST_HOST_CONFIG)',
    ]);
    expect(server.received).toEqual([]);
  });

  it.each(['host-kubeconfig', 'host-kubeconfig-file', 'host-server'])(
    'is not taken from the runner when a secret is blank, as for a pull request from a fork: %s',
    async (input) => {
      const server = await startServer();
      const directory = mkdtempSync(join(tmpdir(), 'knest-runner-'));
      const file = join(directory, 'kubeconfig');
      writeFileSync(file, server.kubeconfig());
      const common = { command: 'list', timeout: '20s' };
      const blank = await makeJob({ ...common, [input]: '' }, { env: { KUBECONFIG: file } }).main();
      expect(annotations(blank, 'error')).toEqual([
        expect.stringMatching(/^1 input cannot be used; .*%0A.* is blank: /),
      ]);
      expect(blank.log).toMatch(new RegExp(`^ *${input}: is blank: pull requests from forks .* get no secrets`, 'm'));
      expect(server.received).toEqual([]);
      // Without the input, the action uses the runner’s kubeconfig.
      await makeJob(common, { env: { KUBECONFIG: file } }).main();
      expect(server.received).not.toEqual([]);
      rmSync(directory, { recursive: true });
    },
  );
});

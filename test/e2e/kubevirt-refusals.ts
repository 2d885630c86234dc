import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../host/host.ts';
import { kubevirtNodeImage } from '../host/kubevirt.ts';
import { until } from '../host/process.ts';
import type { Job } from '../support/runner.ts';
import { jobOn, leftovers } from './support.ts';

const minute = 60_000;

/** A policy that keeps a Service from being deleted, by whomever. */
function keep(service: string): string {
  const metadata = { name: `keep-${service}` };
  const of = { apiVersion: 'admissionregistration.k8s.io/v1', metadata };
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['services'] }];
  const items = [
    {
      ...of,
      kind: 'ValidatingAdmissionPolicy',
      spec: { matchConstraints: { resourceRules }, validations: [{ expression: `request.name != '${service}'` }] },
    },
    {
      ...of,
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/**
 * Tests what the action reports when a host refuses what KubeVirt and its provider need. `hostWithKubevirt`: gives a host
 * that has both.
 */
export function testKubevirtRefusals(hostWithKubevirt: () => Host): void {
  describe.concurrent('a host that refuses what KubeVirt needs', { timeout: 10 * minute }, () => {
    const jobs: Job[] = [];
    const start = (namespace: string, inputs: Readonly<Record<string, string>> = {}): Job => {
      const common = { name: namespace, namespace, 'node-image': kubevirtNodeImage, 'worker-machine-count': '0' };
      const job = jobOn(hostWithKubevirt(), { ...common, ...inputs });
      jobs.push(job);
      return job;
    };
    const kubectl = (...args: string[]): Promise<string> => hostWithKubevirt().kubectl(args);

    /** Waits for the end of a cluster: a deletion may take longer than its job waits. */
    const gone = (name: string): Promise<unknown> =>
      until(`the end of ${name}`, 5 * minute, async () => {
        const left = await leftovers(hostWithKubevirt(), name, name);
        return left.length === 0 || undefined;
      });

    beforeAll(async () => {
      for (const name of ['no-service', 'no-pod', 'no-disk', 'kept']) await kubectl('create', 'namespace', name);
      await kubectl('create', 'quota', 'none', '-n', 'no-service', '--hard=services=0');
      await kubectl('create', 'quota', 'none', '-n', 'no-pod', '--hard=pods=0');
      const limits = [{ type: 'Container', default: { 'ephemeral-storage': '2Gi' } }];
      const metadata = { name: 'small', namespace: 'no-disk' };
      const range = { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } };
      await hostWithKubevirt().kubectl(['create', '-f', '-'], JSON.stringify(range));
    });
    afterAll(() => {
      for (const job of jobs) job.clean();
    });

    it('the Service: the reason is the answer of the host, which the provider does not report', async () => {
      const failed = await start('no-service').main();
      expect(failed.exitCode).toBe(1);
      expect(failed.log).toMatch(
        /✖ no-service cannot start: the host refuses Service no-service-lb: .*exceeded quota: none, .* {3}KNEST_INFRASTRUCTURE/,
      );
      await gone('no-service');
    });

    it('the pod of a VM: the reason is the answer of the host', async () => {
      const failed = await start('no-pod').main();
      expect(failed.exitCode).toBe(1);
      expect(failed.log).toMatch(
        /✖ no-pod cannot start: the host refuses the pod of machine no-pod-cp-\w+: .*exceeded quota: none, .* {3}KNEST_INFRASTRUCTURE/,
      );
      await gone('no-pod');
    });

    it('the disk of a VM, by a LimitRange: nothing is created', async () => {
      const failed = await start('no-disk').main();
      expect(failed.exitCode).toBe(1);
      expect(failed.log).toContain(
        '✖ LimitRange no-disk/small limits the ephemeral-storage of each container to 2Gi, and a machine requests 4144Mi',
      );
      expect(failed.log).not.toContain('▸ Claim');
    });

    it('the deletion of the Service: the delete names it, though the Cluster is gone', async () => {
      const created = await start('kept', { 'wait-for': 'none' }).main();
      expect(created.exitCode, created.log).toBe(0);
      const service = ['service', 'kept-lb', '-n', 'kept'];
      await until('the Service', minute, () =>
        kubectl('get', ...service).then(
          () => true,
          () => undefined,
        ),
      );
      await hostWithKubevirt().kubectl(['create', '-f', '-'], keep('kept-lb'));
      try {
        await until('the refusal of its deletion', minute, () =>
          kubectl('delete', ...service, '--dry-run=server').then(
            () => undefined,
            () => true,
          ),
        );
        const deleted = await start('kept', { command: 'delete', timeout: '90s' }).main();
        expect(deleted.exitCode).toBe(1);
        expect(deleted.log).toMatch(/✖ kept is being deleted, but not gone after .* {3}KNEST_DELETE/);
        expect(deleted.log).toMatch(/^ +Cluster gone$/m);
        expect(deleted.log).toMatch(/^ +Service kept-lb$/m);
      } finally {
        await hostWithKubevirt().kubectl(['delete', '-f', '-'], keep('kept-lb'));
      }
      await until('the end of the Service', minute, () =>
        kubectl('delete', ...service, '--ignore-not-found').then(
          () => true,
          () => undefined,
        ),
      );
      await gone('kept');
    });
  });
}

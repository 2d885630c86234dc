import type { TestProject } from 'vitest/node';
import { down, up } from '../host/host.ts';
import { lineReport } from '../host/report.ts';
import { watchSecrets } from '../support/evidence.ts';
import { install } from './support.ts';

/** Whether the hosts outlive the run, to be looked at afterwards and used by the next. */
const keepsHost = process.env['KNEST_KEEP_HOST'] !== undefined;

/**
 * Brings up the host of a project: fresh, so that a run that was cut short leaves nothing to the next, unless kept.
 * Resolves what takes it down.
 */
export async function setup({ config }: TestProject): Promise<() => Promise<void>> {
  const report = lineReport();
  const name = config.env['KNEST_TEST_HOST'] ?? '';
  if (!keepsHost) await down(name, report);
  // The tests of KubeVirt have a host of their own.
  const host = await up({ name, without: ['kubevirt', 'older-cluster-api', 'older-kubernetes'] }, report);
  const secrets = watchSecrets(host);
  // So that no test depends on one before it.
  await install(host);
  return async () => {
    secrets.stop();
    if (!keepsHost) await down(name, report);
  };
}

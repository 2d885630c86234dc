import { randomUUID } from 'node:crypto';
import type { Component } from '../../catalog/components/component.ts';
import type { Connection } from '../../host/connection.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { WithKubeconfig } from '../../install/clusterctl.ts';
import { install } from '../../install/install.ts';
import { describeChosen } from '../../install/rate-limits.ts';
import type { JobRuntime } from '../../runtime.ts';
import type { CreatePlan } from './plan.ts';

/** Installs what the host lacks. Returns the components that it installed. */
export async function installMissing(
  { client }: Connection,
  { clusterctl, components, inventory }: CreatePlan,
  { providerVariables }: ChosenInputs,
  withKubeconfig: WithKubeconfig,
  { job, report: { log }, clock: { signal, secondsLeft } }: JobRuntime,
): Promise<readonly Component[]> {
  return log.step('Install', async (step) => {
    // The legs of a matrix are one job to GitHub, and must not take each other's Lease for their own.
    const holder = `${job.repository} run ${job.runId} job ${job.jobName} ${randomUUID()}`;
    const installation = { client, clusterctl, withKubeconfig, components, inventory, holder, signal, secondsLeft };
    const { installed, result } = await install(installation, step);
    const chosen = describeChosen(installed, providerVariables);
    if (chosen !== undefined) step.line(chosen);
    return { value: installed, result };
  });
}

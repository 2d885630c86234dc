import { fleetCluster } from '../cluster/identity/fleet-cluster.ts';
import { conditionOfMember, nextStep, type MemberCondition, type PoolRules } from '../cluster/pool/fill-plan.ts';
import { poolFingerprint } from '../cluster/pool/fingerprint.ts';
import { findMembers, type PoolMember } from '../cluster/pool/member.ts';
import { inputError, KnestError } from '../errors.ts';
import type { PoolInputs } from '../inputs.ts';
import { checkPermissions } from '../permissions/check-permissions.ts';
import { permissionsOf } from '../permissions/permissions.ts';
import { tablePage } from '../report/summary.ts';
import { textTable } from '../report/table.ts';
import type { JobRuntime } from '../runtime.ts';
import { formatDuration } from '../values/duration.ts';
import { chooseInfrastructure } from './create/choose-infrastructure.ts';
import { readClock } from './create/record.ts';
import { makeMember } from './pool/make-member.ts';
import { maskInputs } from './create/mask-inputs.ts';
import { connectHost } from './steps/connect-host.ts';
import { keepCredentials } from './steps/credentials.ts';
import { deleteMembers, waitForMembers } from './pool/members.ts';

const HEADER = ['Cluster', 'Condition', 'Age', 'Expires'] as const;

/**
 * Makes a pool as its inputs ask for: deletes members that are broken, stale or too many, makes those that are missing,
 * and waits until they are ready. Clusters that a job has claimed are no members any more, and are not looked at.
 * Errors: those of `create`; KNEST_INPUT in a run for a pull request.
 */
export async function pool(asked: PoolInputs, runtime: JobRuntime): Promise<void> {
  checkRun(runtime);
  maskInputs(asked.member, runtime.secrets);
  const host = await connectHost(asked, runtime);
  await checkPermissions(host.client, permissionsOf('pool', asked.namespace));
  const inputs = await chooseInfrastructure(host, asked.member, runtime);
  const { saved, withKubeconfig } = await keepCredentials(host, asked.pool, runtime.directory);
  runtime.state.rememberHost(saved); // the post step removes these credentials, and deletes no cluster
  const fingerprint = await poolFingerprint(host.client, inputs);
  const hasCni = inputs.cni.kind !== 'none';
  const [began, started] = [performance.now(), await readClock(host, runtime)];
  const made = new Set<string>();
  const ofOthers = new Set<string>();
  const hostNow = (): number => started + performance.now() - began;
  for (;;) {
    const now = hostNow();
    const rules = rulesOf(asked, fingerprint, now);
    const query = { pool: asked.pool, namespace: asked.namespace, repository: runtime.job, hasCni, now };
    const { members, taken } = await findMembers(host.client, query);
    const next = nextStep({ members, taken: new Set([...taken, ...ofOthers]) }, rules);
    switch (next.kind) {
      case 'delete':
        await deleteMembers(host.client, next.members, next.reason, runtime);
        checkMade(next.members, made);
        break;
      case 'make':
        // Jobs may claim as fast as clusters are made: the next run goes on.
        if (made.size >= asked.size) {
          await report(members, rules, runtime);
          return;
        }
        for (const name of next.names) {
          const slot = { pool: asked.pool, name, fingerprint };
          const isMade = await makeMember(host, slot, inputs, withKubeconfig, hostNow(), runtime);
          (isMade ? made : ofOthers).add(name);
        }
        break;
      case 'wait':
        await waitForMembers(host.client, next.members, { hasCni, timeoutSeconds: asked.timeoutSeconds, now }, runtime);
        break;
      case 'done':
        await report(members, rules, runtime);
        return;
    }
  }
}

/** Another try would end as this one did. */
function checkMade(deleted: readonly PoolMember[], made: ReadonlySet<string>): void {
  for (const { name, state } of deleted) {
    if (!made.has(name) || state.code === undefined) continue;
    throw new KnestError({ code: state.code, problem: `${name} cannot start: ${state.problem ?? ''}` });
  }
}

/** The code of a pull request administers what is made in its run: no other run would be safe with such a cluster. */
function checkRun({ job: { pullRequest } }: JobRuntime): void {
  if (pullRequest === undefined) return;
  const problem = `is pool, which cannot run for a pull request (this run is for ${pullRequest}): other jobs trust its clusters with secrets`;
  throw inputError([{ input: 'command', problem }]);
}

function rulesOf(
  { pool, size, maxConcurrent, timeoutSeconds, maxAgeSeconds }: PoolInputs,
  fingerprint: string,
  now: number,
): PoolRules {
  const times = { makingMilliseconds: timeoutSeconds * 1000, maxAge: maxAgeSeconds * 1000, now };
  return { pool, size, maxConcurrent, fingerprint, ...times };
}

/** Reports what the pool has now: as an output, in the summary and in the log. */
async function report(
  members: readonly PoolMember[],
  rules: PoolRules,
  { report, outputs }: JobRuntime,
): Promise<void> {
  const rows = members.map((member) => {
    const age = formatDuration(Math.max(0, rules.now - Date.parse(member.createdAt)) / 1000);
    return [`${member.namespace}/${member.name}`, conditionOfMember(member, rules), age, member.expiresAt ?? ''];
  });
  const ready = rows.filter(([, condition]) => condition === ('ready' satisfies MemberCondition)).length;
  const headline = `The pool ${rules.pool} has ${ready} of ${rules.size} clusters ready`;
  for (const line of rows.length > 0 ? textTable(HEADER, rows) : []) report.log.line(line);
  const shown = members.map((member) => {
    return { ...fleetCluster(member.cluster), ...member.state, condition: conditionOfMember(member, rules) };
  });
  outputs.set('clusters', JSON.stringify(shown));
  outputs.set('timings', JSON.stringify(report.timeline));
  await report.summary.add(tablePage(headline, HEADER, rows));
  report.log.line(`✔ ${headline} after ${(report.timeline.elapsed / 1000).toFixed(1)} s`);
}

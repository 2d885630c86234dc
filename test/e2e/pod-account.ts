import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { NOT_GIVEN } from '../../src/inputs/reading/reader.ts';
import type { Host } from '../host/host.ts';
import type { Job } from '../support/runner.ts';
import { ROLE_USER, roleToken } from './role-account.ts';
import { jobOn } from './support.ts';

/**
 * A job in a pod that runs as the account of docs/rbac: with no kubeconfig but the files and variables that the kubelet
 * gives a pod.
 */
export async function jobInPod(
  host: Host,
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly job: Job; readonly user: string }> {
  const token = await roleToken(host);
  const authority = 'jsonpath={.clusters[0].cluster.certificate-authority-data}';
  const ca = await host.kubectl(['config', 'view', '--raw', '-o', authority]);
  const files = mkdtempSync(join(tmpdir(), 'knest-account-'));
  writeFileSync(join(files, 'token'), token);
  writeFileSync(join(files, 'ca.crt'), Buffer.from(ca, 'base64'));
  // A mount namespace with the files where a pod has them; bash, since dash drops variables whose names have a dash.
  const mount = `mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && cp -r ${files} /run/secrets/kubernetes.io/serviceaccount`;
  const job = jobOn(
    host,
    { 'host-kubeconfig-file': NOT_GIVEN, ...inputs },
    {
      wrap: (argv) => host.command(['unshare', '--mount', 'bash', '-ec', `${mount}; exec "$@"`, 'bash', ...argv]),
      env: { KUBERNETES_SERVICE_HOST: '10.86.0.1', KUBERNETES_SERVICE_PORT: '443' },
    },
  );
  onTestFinished(() => {
    job.clean();
    rmSync(files, { recursive: true });
  });
  return { job, user: ROLE_USER };
}

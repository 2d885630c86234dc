import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { NOT_GIVEN } from '../../src/inputs/reader.ts';
import type { Host } from '../host/host.ts';
import { noteSecrets } from '../support/evidence.ts';
import type { Job } from '../support/runner.ts';
import { jobOn } from './support.ts';

/**
 * A job in a pod that runs as an administrator of the host: with no kubeconfig but the files and variables that the
 * kubelet gives a pod. The account goes when the test ends.
 */
export async function jobInPod(
  host: Host,
  namespace: string,
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly job: Job; readonly user: string }> {
  const name = 'runner';
  await host.kubectl(['create', 'serviceaccount', name, '-n', namespace]);
  const account = `--serviceaccount=${namespace}:${name}`;
  await host.kubectl(['create', 'clusterrolebinding', name, '--clusterrole=cluster-admin', account]);
  const token = await host.kubectl(['create', 'token', name, '-n', namespace]);
  noteSecrets([token.trim()]);
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
  onTestFinished(async () => {
    job.clean();
    rmSync(files, { recursive: true });
    await host.kubectl(['delete', 'clusterrolebinding', name]);
    await host.kubectl(['delete', 'serviceaccount', name, '-n', namespace]);
  });
  return { job, user: `system:serviceaccount:${namespace}:${name}` };
}

import type { Exec } from './kubeconfig.ts';

const GROUP = 'client.authentication.k8s.io';
/** The versions of the protocol that kubectl supports. Source: client-go plugin/pkg/client/auth/exec/exec.go. */
const VERSIONS = [`${GROUP}/v1`, `${GROUP}/v1beta1`];
const MODES = ['Never', 'IfAvailable', 'Always'];

/** Why a plugin cannot be run; none of them quotes a value. */
export function problemsOfExec({ command, apiVersion, env, interactiveMode }: Exec): readonly string[] {
  return [
    ...(command === '' ? ['exec has no command'] : []),
    ...(VERSIONS.includes(apiVersion) ? [] : [`exec.apiVersion is not one of ${VERSIONS.join(', ')}`]),
    ...(env.some(({ name }) => name === '') ? ['exec.env has a variable without a name'] : []),
    ...(MODES.includes(interactiveMode) ? [] : [`exec.interactiveMode is not one of ${MODES.join(', ')}`]),
    ...(interactiveMode === 'Always' ? ['exec.interactiveMode is Always, but a job has no terminal'] : []),
  ];
}

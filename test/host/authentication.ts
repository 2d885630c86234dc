import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The configuration of an API server that takes nobody's tokens but its own. */
export const nobodyElse = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n';

/** Writes a host's AuthenticationConfiguration, all of it at once: its API server reads it whenever it changes. */
export function authenticateBy(stateDirectory: string, configuration: string): void {
  const directory = join(stateDirectory, 'authentication');
  mkdirSync(directory, { recursive: true });
  const next = join(directory, 'next.yaml');
  writeFileSync(next, configuration);
  renameSync(next, join(directory, 'config.yaml'));
}

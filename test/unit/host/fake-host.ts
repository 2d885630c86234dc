import type { KubernetesClient } from '../../../src/host/api/client.ts';
import { clientOf, json, refuse, type Received } from './server.ts';

/** An API server that answers each path with what it has there, 403 where it has `false`, and 404 to all else. */
export async function hostWith(
  answers: Readonly<Record<string, unknown>>,
): Promise<{ readonly client: KubernetesClient; readonly received: readonly Received[] }> {
  return clientOf((response, _number, { path }) => {
    const answer = answers[decodeURIComponent(path.replace(/\?.*/, ''))];
    if (answer === undefined) refuse(response, 404);
    else if (answer === false) refuse(response, 403);
    else json(response, answer);
  });
}

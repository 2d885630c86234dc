import type { KubernetesObject } from '../../host/api/objects.ts';
import { engineOfTemplate } from '../engines/engines.ts';

/**
 * A machine template whose virtual machines request room on the host by their size. Requests that a template has itself
 * stay, and so does any other object.
 */
export function withRequests(object: KubernetesObject): KubernetesObject {
  return engineOfTemplate(object).virtualMachines?.withRequests(object) ?? object;
}

import { overlaps, type Cidr } from '../values/cidr.ts';
import type { InputReader } from './reading/reader.ts';

/** The ranges of the nested cluster. Undefined: the first usual range that the host does not use. */
export interface NetworkInputs {
  readonly podNetworkCidr: Cidr | undefined;
  readonly serviceCidr: Cidr | undefined;
}

/** Reads the ranges of the nested cluster, which must not overlap. */
export function readNetworks(reader: InputReader): NetworkInputs {
  const podNetworkCidr = reader.optionalCidr('pod-network-cidr');
  const serviceCidr = reader.optionalCidr('service-cidr');
  if (podNetworkCidr !== undefined && serviceCidr !== undefined && overlaps(podNetworkCidr, serviceCidr)) {
    reader.problem('service-cidr', `${serviceCidr.text} overlaps pod-network-cidr (${podNetworkCidr.text})`);
  }
  return { podNetworkCidr, serviceCidr };
}

import { KnestError } from '../../errors.ts';
import type { LimitRange } from '../../host/api/objects.ts';
import { MEBIBYTE, parseBytes } from '../../values/quantity.ts';
import type { VirtualMachines } from '../engines/engine.ts';

const DISK = 'ephemeral-storage';

/**
 * What the LimitRanges of a namespace mean for what guests write, which is in the pods of their VMs: a line for each that
 * limits it. Throws KNEST_INFRASTRUCTURE when the host would refuse the pods, since they request more.
 */
export function checkDiskLimits(
  limitRanges: readonly LimitRange[],
  { diskMebibytes }: Pick<VirtualMachines, 'diskMebibytes'>,
): readonly string[] {
  return limitRanges.flatMap(({ metadata: { name, namespace = '' }, spec: { limits = [] } = {} }) =>
    limits.flatMap(({ type, max, default: usual }) => {
      // A container that states no limit has the default. Source: k8s.io/kubernetes plugin/pkg/admission/limitranger.
      const limit = usual?.[DISK] ?? max?.[DISK];
      if (limit === undefined || (type !== 'Container' && type !== 'Pod')) return [];
      const limited = `LimitRange ${namespace}/${name} limits the ${DISK} of each ${type.toLowerCase()} to ${limit}`;
      if ((parseBytes(limit) ?? Number.POSITIVE_INFINITY) < diskMebibytes * MEBIBYTE) {
        throw new KnestError({
          code: 'KNEST_INFRASTRUCTURE',
          problem: `${limited}, and a machine requests ${diskMebibytes}Mi`,
          next: 'have an administrator raise that limit, or use another namespace',
        });
      }
      return [`${limited}: the host ends a machine whose guest writes more than its pod may`];
    }),
  );
}

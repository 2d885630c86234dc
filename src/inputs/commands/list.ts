import { readCommon, type CommonInputs } from '../common.ts';
import type { InputReader } from '../reading/reader.ts';

/** What stands for every namespace. */
const EVERYWHERE = '*';

/** The inputs of `command: list`. */
export interface ListInputs extends Omit<CommonInputs, 'namespace'> {
  readonly command: 'list';
  /** Undefined: all of them. */
  readonly namespace: string | undefined;
  /** Whether clusters of other repositories are listed too, and those that this action did not make. */
  readonly allRepositories: boolean;
}

/** Reads the inputs of `list`. */
export function readList(reader: InputReader): ListInputs {
  const everywhere = reader.optional('namespace') === EVERYWHERE;
  const { namespace, ...common } = readCommon(reader, everywhere ? EVERYWHERE : undefined);
  return {
    command: 'list',
    ...common,
    namespace: everywhere ? undefined : namespace,
    allRepositories: reader.boolean('all-repositories'),
  };
}

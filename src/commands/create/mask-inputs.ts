import type { CreateInputs } from '../../inputs.ts';
import type { Secrets } from '../../runtime.ts';

/** Values that are not secret and appear in every log: masking them would make it unreadable. */
const PLAIN = /^(?:true|false|\d{1,4}|)$/i;

/** Masks the secrets in the inputs of `create`, which need not be secrets of the workflow: before anything is logged. */
export function maskInputs({ downloads, providerVariables }: CreateInputs, { mask }: Pick<Secrets, 'mask'>): void {
  for (const value of Object.values(providerVariables)) if (!PLAIN.test(value)) mask(value);
  const { mirrorLogin } = downloads;
  if (mirrorLogin === undefined) return;
  // As it is, as the URL of the mirror has it, and as a request sends it.
  const password = mirrorLogin.slice(mirrorLogin.indexOf(':') + 1);
  for (const secret of [password, encodeURIComponent(password), mirrorLogin]) mask(secret);
  mask(Buffer.from(mirrorLogin).toString('base64'));
}

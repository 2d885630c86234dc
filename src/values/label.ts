import { createHash } from 'node:crypto';

/** Characters that a label's value has at most. Source: k8s.io/apimachinery pkg/util/validation, LabelValueMaxLength. */
const MAX_LENGTH = 63;
const VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether a text is a label's value, and not the empty one. */
export function isLabelValue(text: string): boolean {
  return text.length <= MAX_LENGTH && VALUE.test(text);
}

/**
 * A text as the value of a label: each character that no value has becomes a dot, and dots at the ends are left out. A
 * text that is cut gets a hash, so that two long texts stay two.
 */
export function labelValue(text: string): string {
  const allowed = text.replace(/[^-A-Za-z0-9_.]/g, '.').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  if (allowed.length <= MAX_LENGTH) return allowed;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${allowed.slice(0, MAX_LENGTH - hash.length - 1)}-${hash}`;
}

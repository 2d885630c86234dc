/** What the name of an object may look like. */
export interface NameForm {
  readonly maxLength: number;
  /**
   * Whether the first character must be a letter (RFC 1035), as the name of a Service must on Kubernetes before 1.36,
   * or may be a digit too (RFC 1123).
   */
  readonly first: 'letter' | 'letter or digit';
}

/** What every name is made of, whatever its first character may be. */
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** What is put before a name that would begin with a digit. */
const PREFIX = 'knest-';

/** Why a text is not a name of that form, with the nearest name that is one; undefined when it is. */
export function nameProblem(text: string, form: NameForm): string | undefined {
  const { maxLength, first } = form;
  const suggested = suggestName(text, form);
  const example = suggested === undefined ? '' : `; for example ${suggested}`;
  if (!LABEL.test(text)) {
    const start = first === 'letter' ? 'starting with a letter, ending' : 'starting and ending';
    return `"${text}" is not a DNS label: lower-case letters, digits and "-", ${start} with a letter or digit${example}`;
  }
  if (first === 'letter' && /^\d/.test(text)) {
    return `"${text}" begins with a digit, which Kubernetes before 1.36 does not allow in the name of a Service${example}`;
  }
  if (text.length > maxLength) return `"${text}" has ${text.length} characters; at most ${maxLength}`;
  return undefined;
}

/** The nearest name of a form; undefined where nothing of the text can stay. */
export function suggestName(text: string, { maxLength, first }: NameForm): string | undefined {
  const plain = trimmed(text.toLowerCase().replace(/[^a-z0-9]+/g, '-'));
  if (plain === '') return undefined;
  return trimmed((first === 'letter' && /^\d/.test(plain) ? `${PREFIX}${plain}` : plain).slice(0, maxLength));
}

function trimmed(text: string): string {
  return text.replace(/^-+|-+$/g, '');
}

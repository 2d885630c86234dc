/** What is shown instead of a secret, as the runner does in its log. */
const MASK = '***';

/** Secrets by their format: private keys in PEM, and JSON Web Tokens. */
const PATTERNS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+/g,
];

/**
 * Remembers every secret that the runner is asked to mask, so that files can be masked as its log is: what a step
 * writes to a file, for example for upload-artifact, no runner looks at.
 */
export class Redactor {
  readonly #register: (secret: string) => void;
  readonly #forms = new Set<string>();

  /** `register` has the runner mask a text in its log: `maskSecret`. */
  constructor(register: (secret: string) => void) {
    this.#register = register;
  }

  /** Has a secret masked from here on: in the log, and in what `redact` is given. */
  mask(secret: string): void {
    if (secret.trim() === '') return;
    this.#register(secret);
    for (const form of [secret, ...base64Forms(secret)]) this.#forms.add(form);
  }

  /** The text without the secrets that are known, their base64, and what looks like a private key or a token. */
  redact(text: string): string {
    // The longest first: of a secret within another nothing must be left over.
    const forms = [...this.#forms].sort((one, other) => other.length - one.length);
    const known = forms.reduce((rest, form) => rest.replaceAll(form, MASK), text);
    return PATTERNS.reduce((rest, pattern) => rest.replace(pattern, MASK), known);
  }
}

/** Shorter ones could be part of any word. */
const SHORTEST_FORM = 8;

/**
 * What the base64 of every text shows that has the secret in it: one form for each place at which it can begin in a
 * group of three bytes, without the characters at its ends that depend on its neighbours.
 */
export function base64Forms(secret: string): readonly string[] {
  return [0, 1, 2]
    .map((offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
      return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    })
    .filter((form) => form.length >= SHORTEST_FORM);
}

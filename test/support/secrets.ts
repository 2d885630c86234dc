import { parseDocument } from 'yaml';

/** Pieces of private keys in PEM. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)-----END [A-Z ]*PRIVATE KEY-----/g;
/** A bootstrap token of kubeadm; what is behind the dot is the secret. One without a digit is a word with a dot in it. */
const BOOTSTRAP_TOKEN = /\b[a-z0-9]{6}\.(?=[a-z]*\d)([a-z0-9]{16})\b/g;
const SHORTEST = 12;

/** A Secret of Kubernetes, as far as it is searched for what must not be shown. */
export interface SecretObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** What must not be shown of a text: of its private keys, kubeconfigs and bootstrap tokens. Certificates are public. */
export function secretsOfText(text: string): readonly string[] {
  const keys = [...text.matchAll(PRIVATE_KEY)].flatMap(([, body = '']) => body.split(/\s+/));
  const tokens = [...text.matchAll(BOOTSTRAP_TOKEN)].map(([, secret = '']) => secret);
  return [...keys, ...tokens, ...secretsOfKubeconfig(text)].filter((secret) => secret.length >= SHORTEST);
}

/** What must not be shown of a Secret. */
export function secretsOfSecret({ type, data = {} }: SecretObject): readonly string[] {
  return Object.entries(data).flatMap(([key, encoded]) => {
    const text = Buffer.from(encoded, 'base64').toString();
    const isToken = type === 'kubernetes.io/service-account-token' ? key === 'token' : key === 'token-secret';
    return isToken ? [text] : secretsOfText(text);
  });
}

function secretsOfKubeconfig(text: string): readonly string[] {
  // Most texts are none, and need not be YAML.
  if (!/^ *"?users"?:|"users":/m.test(text)) return [];
  return usersOf(text).flatMap(({ user = {} }) => {
    const [key, token, password] = ['client-key-data', 'token', 'password'].map((field) => user[field]);
    const texts = [key, token, password].filter((value) => typeof value === 'string');
    return [...texts, ...(typeof key === 'string' ? secretsOfText(Buffer.from(key, 'base64').toString()) : [])];
  });
}

interface NamedUser {
  readonly user?: Readonly<Record<string, unknown>>;
}

function usersOf(text: string): readonly NamedUser[] {
  const document = parseDocument(text);
  if (document.errors.length > 0) return [];
  const { users } = document.toJS() as { readonly users?: readonly NamedUser[] };
  return users ?? [];
}

/** Where a text shows a secret. */
export interface Leak {
  /** The secret, cut so that the report shows none. */
  readonly secret: string;
  /** The line in which it is, cut likewise. */
  readonly line: string;
}

/** Characters by which a secret is looked up: its first ones, which are compared before the rest. */
const KEY_LENGTH = 12;

/** Searches texts for many secrets at once, as they are and in base64. */
export class SecretSearch {
  readonly #bySecret = new Map<string, string[]>();

  /** How many forms of secrets are searched for. */
  get size(): number {
    return this.#bySecret.size;
  }

  constructor(secrets: Iterable<string>) {
    for (const secret of new Set(secrets)) {
      for (const form of [secret, ...inBase64(secret)]) {
        const key = form.slice(0, KEY_LENGTH);
        this.#bySecret.set(key, [...(this.#bySecret.get(key) ?? []), form]);
      }
    }
  }

  /** Every place of the text that shows one of them. */
  find(text: string): readonly Leak[] {
    const leaks: Leak[] = [];
    for (let at = 0; at + KEY_LENGTH <= text.length; at++) {
      const forms = this.#bySecret.get(text.slice(at, at + KEY_LENGTH));
      const form = forms?.find((one) => text.startsWith(one, at));
      if (form === undefined) continue;
      const line = text.slice(text.lastIndexOf('\n', at) + 1, at).slice(-80);
      leaks.push({ secret: `${form.slice(0, 4)}… (${form.length} characters)`, line: `${line}…` });
      at += form.length - 1;
    }
    return leaks;
  }
}

/** The base64 of a secret within any text: at each of three offsets, without the ends that depend on its neighbours. */
function inBase64(secret: string): readonly string[] {
  return ['', ' ', '  '].flatMap((before) => {
    const whole = Buffer.from(before + secret)
      .toString('base64')
      .replace(/=+$/, '');
    const form = whole.slice(before === '' ? 0 : before.length + 1, -1);
    return form.length >= KEY_LENGTH ? [form] : [];
  });
}

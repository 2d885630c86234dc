import { secretForms } from '../../values/secret-forms.ts';
import { splitCredentials } from '../../values/url-credentials.ts';
import { parseYamlTexts } from '../../values/yaml.ts';

/** Fields of a user that are not secrets; every other one is, including fields of later versions. */
const PUBLIC_OF_USER = new Set([
  ...['username', 'as', 'as-uid', 'as-groups', 'as-user-extra', 'extensions'],
  ...[
    'client-certificate',
    'client-certificate-data',
    'client-key',
    'tokenFile',
    'token-file',
    'exec',
    'auth-provider',
  ],
]);

/** Settings of auth providers that are not secrets. Source: client-go plugin/pkg/client/auth. */
const PUBLIC_OF_PROVIDER = new Set([
  ...['idp-issuer-url', 'client-id', 'idp-certificate-authority', 'idp-certificate-authority-data', 'extra-scopes'],
  ...['cmd-path', 'cmd-args', 'expiry', 'expiry-key', 'token-key', 'scopes', 'environment', 'tenant-id'],
  ...['apiserver-id', 'config-mode', 'expires-in', 'expires-on'],
]);

/** Variables of plugins that choose what is public, and whose values other texts contain. */
const PUBLIC_VARIABLE = /^(?:AWS_(?:PROFILE|(?:DEFAULT_)?REGION|STS_REGIONAL_ENDPOINTS)|HOME|PATH)$/;
/** Values that say nothing, and that other texts contain. */
const TRIVIAL = /^(?:true|false|yes|no|on|off|\d{1,2})$/i;

/** An argument that names a secret: the next one is it, or the rest behind the equals sign. */
const SECRET_ARGUMENT = /^--?[\w-]*(?:secret|password|passphrase|token|key)(?:=(.*))?$/is;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Every text in a kubeconfig that must not be shown, of all its users and clusters: as it is, in base64, and line by
 * line. Empty for what is not YAML: secrets are masked before the text is checked, and its errors do not quote it.
 */
export function secretsOfKubeconfig(text: string): readonly string[] {
  const root = fieldsOf(parsed(text));
  const users = listOf(root['users']).flatMap((entry) => secretsOfUser(fieldsOf(fieldsOf(entry)['user'])));
  const clusters = listOf(root['clusters']).flatMap((entry) => {
    const cluster = fieldsOf(fieldsOf(entry)['cluster']);
    return ['server', 'proxy-url']
      .flatMap((field) => textsOf(cluster[field]))
      .flatMap((url) => splitCredentials(url).secrets);
  });
  return [...new Set([...users, ...clusters].flatMap(secretForms))];
}

function secretsOfUser(user: Fields): readonly string[] {
  const own = Object.entries(user).flatMap(([field, value]) => (PUBLIC_OF_USER.has(field) ? [] : textsOf(value)));
  // The key itself, or a token, where the path of its file belongs.
  const misplaced = ['client-key', 'tokenFile', 'token-file'].flatMap((field) => textsOf(user[field])).filter(isNoPath);
  const key = textsOf(user['client-key-data']).map((data) => Buffer.from(data, 'base64').toString('utf8'));
  const exec = fieldsOf(user['exec']);
  const config = fieldsOf(fieldsOf(user['auth-provider'])['config']);
  const provider = Object.entries(config).flatMap(([name, value]) =>
    PUBLIC_OF_PROVIDER.has(name) ? [] : textsOf(value),
  );
  return [...own, ...misplaced, ...key, ...secretVariables(exec['env']), ...secretArguments(exec['args']), ...provider];
}

function isNoPath(text: string): boolean {
  return text.includes('\n') || text.length > 255 || /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
}

function secretVariables(env: unknown): readonly string[] {
  return listOf(env).flatMap((entry) => {
    const { name, value } = fieldsOf(entry);
    if (typeof name === 'string' && PUBLIC_VARIABLE.test(name)) return [];
    return textsOf(value).filter((text) => !TRIVIAL.test(text));
  });
}

function secretArguments(args: unknown): readonly string[] {
  const texts = listOf(args).map((arg) => textsOf(arg)[0] ?? '');
  return texts.flatMap((text, index) => {
    const match = SECRET_ARGUMENT.exec(text);
    if (match === null) return [];
    return [match[1] ?? texts[index + 1] ?? ''];
  });
}

function parsed(text: string): unknown {
  try {
    return parseYamlTexts(text);
  } catch {
    return undefined;
  }
}

/** All texts within a value. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsOf);
  return [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** An address without its user and password, which are shown nowhere and sent as a header. */
export interface SplitUrl {
  readonly url: string;
  /** The value of a header for them; undefined when the address has none. */
  readonly authorization: string | undefined;
  readonly secrets: readonly string[];
}

/** Takes user and password out of an address. What is not a URL stays as it is. */
export function splitCredentials(text: string): SplitUrl {
  const url = URL.parse(text);
  if (url === null || `${url.username}${url.password}` === '')
    return { url: text, authorization: undefined, secrets: [] };
  const user = decoded(url.username);
  const password = decoded(url.password);
  const authorization = basicAuthorization(`${user}:${password}`);
  // A token alone is where the user would be.
  const secret = password === '' ? [url.username, user] : [url.password, password];
  const secrets = [...new Set([...secret, authorization.slice('Basic '.length)])];
  const isBare = !text
    .slice(0, text.search(/[?#]|$/))
    .replace(/^\w+:\/\//, '')
    .includes('/');
  url.username = '';
  url.password = '';
  return { url: isBare ? url.href.replace(/\/$/, '') : url.href, authorization, secrets };
}

/** The value of a header that logs in; `login` is user and password with a colon between them. Source: RFC 7617. */
export function basicAuthorization(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

/** A scheme, a host, a port and a path of plain words: nothing in it can be a password or a token. */
const HARMLESS = /^(?:[a-z][a-z\d+.-]*:\/\/)?[\w.-]*(?::\d{1,5})?(?:\/[\w.~/-]*)?$/i;

/** An address in quotes, for a message; `it` where a part may be secret, which in a malformed address may be any. */
export function quotedAddress(text: string): string {
  return HARMLESS.test(text) ? `"${text}"` : 'it';
}

/** An address for a message: without user, password, query and fragment. */
export function shownAddress(text: string): string {
  return splitCredentials(text).url.replace(/[?#].*$/s, '');
}

/** The user or the password of an address decoded; unchanged when its escapes are not valid. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

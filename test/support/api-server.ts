import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate, type Certificate } from './certificate.ts';
import { Kubelet, type Dial, type KubeletBehaviour } from './kubelet.ts';

/** What came in at the server. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What goes out. A text is sent as it is, an object as JSON; `silence` leaves the client waiting. */
export type Answer = { readonly status: number; readonly body: string | object } | 'silence';

/** How the server differs from one with no nodes, no providers, and a user who may do nothing but look. */
export interface Behaviour {
  readonly version?: string;
  /** Pod ranges, of a node each. */
  readonly podCidrs?: readonly string[];
  /** Whether the user may do everything, as SelfSubjectAccessReviews tell. */
  readonly isAdministrator?: boolean;
  /** The API groups that it serves; Cluster API's alone if left out. */
  readonly groups?: readonly string[];
  /** Answers instead; undefined for what it would answer otherwise. */
  readonly answer?: (request: Received) => Answer | undefined;
}

/**
 * A local server with a certificate of its own, for 127.0.0.1, that answers a few requests as a Kubernetes API server
 * does, and says 404 to the rest: enough to come as far as the first write.
 */
export class ApiServer {
  readonly url: string;
  /** Every request that proved who it is from. */
  readonly received: Received[] = [];
  /** What has to be sent to be let in. */
  readonly token = 'host-token-0a9b8c7d6e5f';
  readonly #server: Server;
  readonly #certificate: Certificate;

  private constructor(server: Server, certificate: Certificate) {
    this.#server = server;
    this.#certificate = certificate;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts one on a free port. */
  static async start(behaviour: Behaviour = {}): Promise<ApiServer> {
    const certificate = makeCertificate();
    const server = createServer(certificate);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const api = new ApiServer(server, certificate);
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        const isKnown = request.headers.authorization === `Bearer ${api.token}`;
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        const received = { method: request.method ?? '', path: request.url ?? '', body };
        if (isKnown) api.received.push(received);
        const partial = request.headers.accept?.includes('as=PartialObjectMetadataList') ?? false;
        const answer = isKnown
          ? (behaviour.answer?.(received) ?? answerTo(received, behaviour, partial))
          : refusal(401, 'Unauthorized', 'Unauthorized');
        if (answer === 'silence') return;
        const isText = typeof answer.body === 'string';
        response.writeHead(answer.status, { 'content-type': isText ? 'text/plain' : 'application/json' });
        response.end(isText ? answer.body : JSON.stringify(answer.body));
      });
    });
    return api;
  }

  /** What changes something on the host; asking for permissions does not, though it is a POST. */
  get writes(): readonly Received[] {
    // A review is a question, though it is asked by POST.
    return this.received.filter(({ method, path }) => method !== 'GET' && !/\/selfsubject\w*reviews$/.test(path));
  }

  /** A kubeconfig for it, as text; `fields` are those of its only user, and `trusted: false` leaves out its certificate. */
  kubeconfig({ token = this.token, user = 'ci', trusted = true } = {}): string {
    const ca = { 'certificate-authority-data': Buffer.from(this.#certificate.cert).toString('base64') };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'host',
      clusters: [{ name: 'host', cluster: { server: this.url, ...(trusted && ca) } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'host', context: { cluster: 'host', user } }],
    });
  }

  /** Forwards ports of pods from here on, for those who prove who they are. */
  forwardPorts(dial: Dial, behaviour: KubeletBehaviour = {}): Kubelet {
    const refuse = (request: IncomingMessage): string | undefined =>
      request.headers.authorization === `Bearer ${this.token}`
        ? behaviour.refuse?.(request)
        : 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n';
    return new Kubelet(this.#server, dial, { ...behaviour, refuse });
  }

  /** Ends it, with every connection. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A Status, as an API server refuses. */
export function refusal(code: number, reason: string, message: string): Answer {
  return { status: code, body: { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, reason, message } };
}

function answerTo({ method, path, body }: Received, behaviour: Behaviour, partial: boolean): Answer {
  const ok = (body: object): Answer => ({ status: 200, body });
  const [collection = ''] = path.split('?');
  if (method === 'POST' && collection.endsWith('/selfsubjectaccessreviews')) {
    return { status: 201, body: { ...(body as object), status: { allowed: behaviour.isAdministrator ?? false } } };
  }
  if (method !== 'GET') return refusal(403, 'Forbidden', `User "ci" cannot do that: ${method} ${collection}`);
  switch (collection) {
    case '/version':
      return ok({ major: '1', minor: '36', gitVersion: behaviour.version ?? 'v1.36.3' });
    case '/apis':
      return ok({ groups: (behaviour.groups ?? ['cluster.x-k8s.io']).map((name) => ({ name })) });
    case '/api/v1/nodes':
      return ok(list('NodeList', 'v1', (behaviour.podCidrs ?? []).map(node)));
    case '/apis/networking.k8s.io/v1/servicecidrs':
      return ok(list('ServiceCIDRList', 'networking.k8s.io/v1', []));
    case '/apis/apps/v1/deployments':
      return ok(list('DeploymentList', 'apps/v1', []));
    case '/apis/apps/v1/daemonsets':
      return ok(list('DaemonSetList', 'apps/v1', []));
    case '/apis/apiextensions.k8s.io/v1/customresourcedefinitions':
      // An empty list has null for its items in this form.
      return ok({ ...list('PartialObjectMetadataList', 'meta.k8s.io/v1', []), ...(partial && { items: null }) });
    case '/api/v1/namespaces/kube-system/configmaps/kubeadm-config':
      return refusal(404, 'NotFound', 'configmaps "kubeadm-config" not found');
    default:
      // A group that is not served, such as Cluster API's.
      return { status: 404, body: '404 page not found\n' };
  }
}

function list(kind: string, apiVersion: string, items: readonly object[]): object {
  return { kind, apiVersion, metadata: { resourceVersion: '1' }, items };
}

function node(podCIDR: string, index: number): object {
  return { metadata: { name: `node-${index}` }, spec: { podCIDR, podCIDRs: [podCIDR] } };
}

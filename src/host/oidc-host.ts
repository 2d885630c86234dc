/** An API server that takes GitHub's OIDC tokens: enough for a job that may request some to connect. Nothing secret. */
export interface OidcHost {
  readonly server: string;
  /** PEM; undefined for a certificate that a public authority signed. */
  readonly caCertificate: string | undefined;
  readonly audience: string;
}

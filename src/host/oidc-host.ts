/** An API server that takes GitHub's OIDC tokens: enough to enter it, by a job that may have some. Nothing secret. */
export interface OidcHost {
  readonly server: string;
  /** PEM; undefined for a certificate that a public authority signed. */
  readonly caCertificate: string | undefined;
  readonly audience: string;
}

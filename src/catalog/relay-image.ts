/**
 * The official image of haproxy 3.2, the newest release with long-term support: what the relay of a tunnel runs. The
 * digest is that of the image for all platforms. No registry was asked: public files name it.
 */
export const RELAY_IMAGE =
  'docker.io/library/haproxy:3.2.21-alpine3.24@sha256:66e25cc9a8332635f4e897f7f4b1e5622c25f09f0ee23cddc6ce9bdb3a24772a';

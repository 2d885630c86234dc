/**
 * The official image of the CNCF's distribution 3.1: the registry of a nested cluster. The digest is that of the image for
 * all platforms. No registry was asked: public files name it.
 */
export const REGISTRY_IMAGE =
  'docker.io/library/registry:3.1.1@sha256:1be55279f18a2fe1a74edf2664cac61c1bea305b7b4642dab412e7affdcb3e33';

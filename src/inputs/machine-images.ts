import {
  hasKnownImage,
  KUBEVIRT_NODE_IMAGES,
  knownVersions,
  versionOn,
  VIRTINK_IMAGES,
  type AskedVersion,
} from '../catalog/node-images.ts';
import {
  INFRASTRUCTURES,
  PERSISTENT_INFRASTRUCTURES,
  type Infrastructure,
  type InfrastructureProvider,
} from '../catalog/infrastructures.ts';
import type { InputProblem } from '../errors.ts';
import type { Variables } from '../values/variables.ts';
import type { Version } from '../values/version.ts';
import type { MachineImages } from './machines.ts';
import type { TemplateInputs } from './template.ts';

/** What follows from the infrastructure of a cluster. */
export interface Choice {
  readonly infrastructure: Infrastructure | InfrastructureProvider;
  readonly kubernetesVersion: Version;
  /** The variables of templates for the images of its machines. */
  readonly images: Variables;
  /** Where its machines have the version from, as the end of the version's line in the log; blank: nobody knows. */
  readonly origin: string;
}

/** The inputs that decide on version and images. */
export interface ImageInputs {
  readonly askedVersion: AskedVersion;
  /** The image of machines of KubeVirt; undefined: a public one. */
  readonly nodeImage: string | undefined;
  readonly controlPlane: MachineImages;
  readonly workers: MachineImages;
}

/** What else of a cluster bears on them. */
type Inputs = ImageInputs & Pick<TemplateInputs, 'clusterTemplate'> & { readonly persistent: boolean };

const ROLES = [
  ['control-plane', 'CONTROL_PLANE', 'controlPlane'],
  ['worker', 'WORKER', 'workers'],
] as const;

/** The version and the images of a cluster on an infrastructure, or why these inputs and the infrastructure do not go together. */
export function choiceOn(
  infrastructure: Infrastructure | InfrastructureProvider,
  inputs: Inputs,
): Choice | { readonly problems: readonly InputProblem[] } {
  const version = versionOn(infrastructure, inputs.askedVersion);
  const image = infrastructure === 'kubevirt' && version !== undefined ? nodeImageOf(inputs, version) : undefined;
  const isImageMissing = infrastructure === 'kubevirt' && image === undefined && inputs.clusterTemplate === undefined;
  const problems = [
    ...persistenceProblems(infrastructure, inputs),
    ...(infrastructure === 'kubevirt' ? virtinkInputs(inputs) : kubevirtInputs(infrastructure, inputs)),
    ...versionProblems(infrastructure, inputs, version === undefined || isImageMissing),
  ];
  if (version === undefined || problems.length > 0) return { problems };
  const images = infrastructure === 'kubevirt' ? nodeImages(image) : virtinkImages(inputs, version);
  const origin = inputs.clusterTemplate === undefined ? originOf(infrastructure, images) : '';
  return { infrastructure, kubernetesVersion: version, images, origin };
}

/** The image of the machines, with who published it where that is known. */
function originOf(infrastructure: Infrastructure | InfrastructureProvider, images: Variables): string {
  if (infrastructure === 'kubevirt') {
    const known = KUBEVIRT_NODE_IMAGES.find(({ image }) => image === images['NODE_IMAGE']);
    return ` from ${images['NODE_IMAGE'] ?? ''}${known === undefined ? '' : `, ${known.source}`}`;
  }
  if (infrastructure !== 'virtink') return '';
  const used = ROLES.flatMap(([, variable]) => images[`${variable}_MACHINE_ROOTFS_IMAGE`] ?? []);
  return ` from ${[...new Set(used)].join(' and ')}`;
}

/** The image of all machines of KubeVirt: that of the input, else a public one. */
function nodeImageOf({ nodeImage }: ImageInputs, { text }: Version): string | undefined {
  return nodeImage ?? KUBEVIRT_NODE_IMAGES.find(({ version }) => version === text)?.image;
}

function nodeImages(image: string | undefined): Variables {
  return image === undefined ? {} : { NODE_IMAGE: image };
}

function virtinkImages(inputs: Inputs, { text }: Version): Variables {
  return Object.assign(
    {},
    ...ROLES.map(([, variable, role]) => {
      const { kernelImage, rootfsImage, rootfsSize = '4Gi' } = inputs[role];
      return {
        [`${variable}_MACHINE_KERNEL_IMAGE`]: kernelImage ?? VIRTINK_IMAGES.kernel,
        [`${variable}_MACHINE_ROOTFS_IMAGE`]: rootfsImage ?? VIRTINK_IMAGES.rootfs(text, inputs.persistent),
        [`${variable}_MACHINE_ROOTFS_SIZE`]: rootfsSize,
      };
    }),
  ) as Variables;
}

function persistenceProblems(
  infrastructure: Infrastructure | InfrastructureProvider,
  { persistent }: Inputs,
): readonly InputProblem[] {
  if (!persistent || PERSISTENT_INFRASTRUCTURES.some((name) => name === infrastructure)) return [];
  const reason =
    infrastructure === 'kubevirt' ? '; the provider for KubeVirt cannot give machines fixed addresses' : '';
  return [
    { input: 'persistent', problem: `needs infrastructure: ${PERSISTENT_INFRASTRUCTURES.join(' or ')}${reason}` },
  ];
}

/** What is set for machines of Virtink, and means nothing to those of KubeVirt. */
function virtinkInputs(inputs: ImageInputs): readonly InputProblem[] {
  return ROLES.flatMap(([role, , key]) => {
    const { kernelImage, rootfsImage, rootfsSize } = inputs[key];
    const isFor = (part: string): InputProblem => ({
      input: `${role}-machine-${part}`,
      problem: 'is for Virtink; KubeVirt takes node-image, one image with kernel and root file system',
    });
    return [
      ...(kernelImage === undefined ? [] : [isFor('kernel-image')]),
      ...(rootfsImage === undefined ? [] : [isFor('rootfs-image')]),
      ...(rootfsSize === undefined
        ? []
        : [
            {
              input: `${role}-machine-rootfs-size`,
              problem: 'is for Virtink; a disk of KubeVirt is as large as its node-image, so use a larger image',
            },
          ]),
    ];
  });
}

function kubevirtInputs(
  infrastructure: Infrastructure | InfrastructureProvider,
  { nodeImage }: ImageInputs,
): readonly InputProblem[] {
  if (nodeImage === undefined) return [];
  const next = infrastructure === 'virtink' ? '; Virtink takes control-plane-machine-rootfs-image and its like' : '';
  return [{ input: 'node-image', problem: `is for infrastructure: kubevirt${next}` }];
}

/** `isUnknown`: whether no image is known for the version that is asked for. */
function versionProblems(
  infrastructure: Infrastructure | InfrastructureProvider,
  { askedVersion, nodeImage }: ImageInputs,
  isUnknown: boolean,
): readonly InputProblem[] {
  if (infrastructure === 'kubevirt' && nodeImage !== undefined && askedVersion.kind !== 'exact') {
    const problem = 'has to be the full version of Kubernetes in node-image, for example 1.36.3';
    return [{ input: 'kubernetes-version', problem }];
  }
  return isUnknown ? [unknownVersion(infrastructure, askedVersion)] : [];
}

function unknownVersion(infrastructure: Infrastructure | InfrastructureProvider, asked: AskedVersion): InputProblem {
  const input = 'kubernetes-version';
  const known = knownVersions(infrastructure)?.join(', ');
  const version = describeAsked(asked);
  if (known === undefined || typeof infrastructure === 'object') {
    return { input, problem: `no image of Kubernetes ${version} is known; use a full version, for example 1.36.3` };
  }
  const own = infrastructure === 'kubevirt' ? 'node-image' : 'the images of the machines';
  const others = INFRASTRUCTURES.filter((other) => knownVersions(other) !== undefined && hasKnownImage(other, asked));
  const next = [
    ...others.map((other) => `set infrastructure: ${other}, which has one`),
    `for any other version, set a full version and ${own}`,
  ];
  return {
    input,
    problem: `no image of Kubernetes ${version} is known for ${infrastructure}, only ${known}; ${next.join('; ')}`,
  };
}

function describeAsked(asked: AskedVersion): string {
  switch (asked.kind) {
    case 'exact':
      return asked.version.text;
    case 'minor':
      return `${asked.major}.${asked.minor}`;
    default:
      return asked.kind;
  }
}

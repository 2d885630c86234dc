import { helloImage } from '../host/addon-images.ts';
import { hostProgram } from '../host/binaries.ts';

/** The path of the program that answers on port 8080, for images that tests make. */
export async function helloProgram(): Promise<string> {
  return hostProgram('hello');
}

/** The port on every machine that a Service of `steady` has. */
export const steadyPort = 30080;

/** Two pods on workers that are never both away, and a Service that every machine of the cluster serves. */
export const steady = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: steady
spec:
  replicas: 2
  selector:
    matchLabels: { app: steady }
  template:
    metadata:
      labels: { app: steady }
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: { app: steady }
      containers:
        - name: hello
          image: '${helloImage}'
          readinessProbe: { httpGet: { port: 8080, path: / }, periodSeconds: 1 }
          # Until no machine sends it anything any more.
          lifecycle: { preStop: { sleep: { seconds: 5 } } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: steady
spec:
  minAvailable: 1
  selector:
    matchLabels: { app: steady }
---
apiVersion: v1
kind: Service
metadata:
  name: steady
spec:
  type: NodePort
  selector: { app: steady }
  ports: [{ port: 80, targetPort: 8080, nodePort: ${steadyPort} }]
`;

/** A pod `tools` that answers on port 8080, with the programs of its node, such as tar. */
export const tools = `
apiVersion: v1
kind: Pod
metadata:
  name: tools
spec:
  tolerations: [{ operator: Exists }]
  containers:
    - name: hello
      image: '${helloImage}'
      volumeMounts:
        - { name: usr, mountPath: /usr, readOnly: true }
        - { name: usr, mountPath: /lib, subPath: lib, readOnly: true }
        - { name: usr, mountPath: /lib64, subPath: lib64, readOnly: true }
  volumes: [{ name: usr, hostPath: { path: /usr } }]
`;

/** A pod on every node, and a Service in front of them. */
export const hello = `
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: hello
spec:
  selector:
    matchLabels: { app: hello }
  template:
    metadata:
      labels: { app: hello }
    spec:
      tolerations: [{ operator: Exists }]
      containers: [{ name: hello, image: '${helloImage}' }]
---
apiVersion: v1
kind: Service
metadata:
  name: hello
spec:
  selector: { app: hello }
  ports: [{ port: 80, targetPort: 8080 }]
`;

import { helloImage } from '../host/images.ts';

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

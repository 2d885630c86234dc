"""Does what cloud-init would with the user data Cluster API's kubeadm provider writes: write_files, then runcmd.

Prints each command and its output: standard output is the machine's console.
"""

import base64
import gzip
import os
import re
import subprocess
import sys

import yaml


def content(entry):
    data = entry.get("content") or ""
    data = data.encode() if isinstance(data, str) else data
    encoding = entry.get("encoding") or ""
    if "b64" in encoding or "base64" in encoding:
        data = base64.b64decode(data)
    return gzip.decompress(data) if "gz" in encoding else data


def write(entry):
    path = entry["path"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "ab" if entry.get("append") else "wb") as file:
        file.write(content(entry))
    if entry.get("permissions"):
        os.chmod(path, int(str(entry["permissions"]), 8))


def spare_conntrack(path="/run/kubeadm/kubeadm.yaml"):
    """Tells kube-proxy to leave the size of the kernel's connection table alone: a container cannot set it."""
    if not os.path.exists(path):
        return
    with open(path) as file:
        text = file.read()
    if "kind: KubeProxyConfiguration" in text:
        return
    proxy = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "conntrack": {"maxPerCore": 0, "min": 0},
    }
    with open(path, "a") as file:
        file.write("\n---\n" + yaml.safe_dump(proxy))


def spare_verification(paths=("/run/kubeadm/kubeadm.yaml", "/run/kubeadm/kubeadm-join-config.yaml")):
    """Has kubeadm go on where the kernel is not one for nodes: it is that of the test's machine, perhaps with cgroups v1."""
    for path in filter(os.path.exists, paths):
        with open(path) as file:
            documents = [one for one in yaml.safe_load_all(file) if one]
        for one in documents:
            if one["kind"] in ("InitConfiguration", "JoinConfiguration"):
                registration = one.setdefault("nodeRegistration", {})
                ignored = registration.get("ignorePreflightErrors") or []
                registration["ignorePreflightErrors"] = [*ignored, "SystemVerification"]
        with open(path, "w") as file:
            yaml.safe_dump_all(documents, file)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def script(commands):
    """One shell script of all commands, as cloud-init makes of runcmd: a command that fails does not keep the next from
    running, but one that exits does."""
    lines = []
    for command in commands:
        text = command if isinstance(command, str) else " ".join(map(quoted, command))
        failed = '{ code=$?; echo "command failed with exit code $code"; (exit $code); }'
        lines += ["printf '%s\\n' " + quoted("+ " + text), "{", text, "} || " + failed]
    return "\n".join(lines)


def run(commands):
    return subprocess.call(["/bin/sh", "-c", script(commands)], stderr=subprocess.STDOUT)


def main(directory):
    with open(os.path.join(directory, "meta-data")) as file:
        meta = yaml.safe_load(file)
    values = {"instance_id": meta["instance-id"], "local_hostname": meta["local-hostname"]}
    with open(os.path.join(directory, "user-data")) as file:
        text = re.sub(r"\{\{\s*ds\.meta_data\.(\w+)\s*\}\}", lambda match: values[match.group(1)], file.read())
    config = yaml.safe_load(text) or {}
    for entry in config.get("write_files") or []:
        write(entry)
    spare_conntrack()
    spare_verification()
    run(config.get("bootcmd") or [])
    code = run(config.get("runcmd") or [])
    if code:
        print("Failed to run module scripts-user (scripts in /var/lib/cloud/instance/scripts)", flush=True)
    return code


sys.exit(main(sys.argv[1]))

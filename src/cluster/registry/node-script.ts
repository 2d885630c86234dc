/** Where containerd looks for the hosts of a registry, on nodes whose configuration names no other directory. */
export const HOSTS_DIRECTORY = '/etc/containerd/certs.d';

/** What every message of the script to the console begins with. */
export const SCRIPT_MARK = 'knest-action: registry: true:';

/** What a node needs to know about the registry. */
export interface NodeRegistry {
  /** Its address in the network of the host. */
  readonly address: string;
  /** Its port on localhost, by which images name it. */
  readonly localPort: number;
}

/**
 * The shell script that has containerd on a node find `hosts.toml`, before kubeadm runs. It judges the effective
 * configuration, `containerd config dump`, which has the same keys in every version, in tables of different names:
 *
 * - Mirrors or TLS settings in the configuration itself exclude `config_path` (containerd's ValidatePluginConfig): the
 *   script stops with the reason, since the CRI plugin would not load.
 * - Where `config_path` names directories, `hosts.toml` is put there. A list of them is one directory to containerd 2.1
 *   and later when the transfer service pulls (containerd#12808): it is put into the directory of that name too.
 * - Where it is empty, the effective configuration with `config_path` becomes the configuration. A drop-in would not do:
 *   it replaces all settings of its plugin in containerd 1.x.
 * - Where containerd has a proxy, its NO_PROXY gets the address of the registry.
 *
 * `root` is another root of the file system, for tests.
 */
export function nodeScript({ address, localPort }: NodeRegistry, root = ''): string {
  return `#!/bin/sh
# Written by knest-action: has containerd pull the images of localhost:${localPort} from the registry of this cluster.
set -u
# The configuration of containerd may have passwords.
umask 077
root='${root}'
host='localhost:${localPort}'
address='${address}'
directory='${HOSTS_DIRECTORY}'
config="$root/etc/containerd/config.toml"
unit="$root/etc/systemd/system/containerd.service.d"
restart=''

stop() {
  echo "error: ${SCRIPT_MARK} $*" >&2
  exit 1
}

# Prints what the configuration says of registries: a line "path VALUE", and one for each setting that excludes config_path.
judge() {
  awk '
    BEGIN { registry = "^plugins[.](io[.]containerd[.]grpc[.]v1[.]cri|io[.]containerd[.]cri[.]v1[.]images|cri)[.]registry" }
    /^[ \\t]*\\[/ {
      table = $0
      gsub(/[]["\\047 \\t]/, "", table)
      if (table ~ (registry "[.]mirrors[.]")) print "inline " table
      if (table ~ (registry "[.]configs[.].*[.]tls$")) print "inline " table
      next
    }
    table ~ (registry "$") && /^[ \\t]*config_path[ \\t]*=/ {
      value = $0
      sub(/^[^=]*=[ \\t]*/, "", value)
      gsub(/["\\047]/, "", value)
      print "path " value
    }'
}

# The configuration that it reads, with config_path. What other files added is in it already.
with_config_path() {
  awk -v directory="$directory" '
    BEGIN { registry = "^plugins[.](io[.]containerd[.]grpc[.]v1[.]cri|io[.]containerd[.]cri[.]v1[.]images|cri)[.]registry$" }
    /^[ \\t]*\\[/ {
      table = $0
      gsub(/[]["\\047 \\t]/, "", table)
    }
    table ~ registry && /^[ \\t]*config_path[ \\t]*=/ { print "config_path = \\"" directory "\\""; next }
    table == "" && /^imports[ \\t]*=/ { print "imports = []"; next }
    { print }'
}

put() {
  mkdir -p "$root$1/$host" && printf '%s\\n' "$hosts" >"$root$1/$host/hosts.toml" || stop "cannot write to $1"
}

environment() {
  pid=$(systemctl show --property=MainPID --value containerd 2>/dev/null)
  tr '\\0' '\\n' 2>/dev/null <"$root/proc/$pid/environ" | sed -n "s/^\\($1\\)=//p" | grep -m 1 .
}

excepts_registry() {
  case ",$(environment 'NO_PROXY\\|no_proxy')," in *",$address,"*) return 0 ;; esac
  return 1
}

# What the CRI plugin is: ok, error, or nothing while containerd does not answer.
cri() {
  ctr --address "$socket" plugins ls 2>/dev/null | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" { print $NF }'
}

command -v awk >/dev/null || stop 'this machine has no awk'
hosts=$(cat "$root$directory/$host/hosts.toml") || stop "there is no $directory/$host/hosts.toml"
dump=$(containerd config dump) || stop 'containerd config dump fails'
judgement=$(printf '%s\\n' "$dump" | judge)
inline=$(printf '%s\\n' "$judgement" | sed -n 's/^inline //p' | head -n 1)
[ -z "$inline" ] || stop "the configuration of containerd has $inline, which excludes config_path"
case $judgement in 'path '*) ;; *) stop 'containerd has no config_path: its CRI plugin is missing, or of an unknown version' ;; esac
path=$(printf '%s\\n' "$judgement" | sed -n 's/^path //p' | head -n 1)

if [ -n "$path" ]; then
  case ":$path:" in *":$directory:"*) ;; *) put "\${path%%:*}" ;; esac
  case $path in *:*) put "$path" ;; esac
else
  mkdir -p "\${config%/*}"
  printf '%s\\n' "$dump" | with_config_path >"$config.new" && mv "$config.new" "$config" || stop "cannot write $config"
  containerd config dump | judge | grep -qxF "path $directory" || stop "containerd does not take config_path from $config"
  restart=yes
fi

proxy=$(environment 'HTTP_PROXY\\|http_proxy')
if [ -n "$proxy" ] && ! excepts_registry; then
  except=$(environment 'NO_PROXY\\|no_proxy' | sed 's/%/%%/g')
  except="\${except:+$except,}$address"
  mkdir -p "$unit" && printf '[Service]\\nEnvironment="NO_PROXY=%s" "no_proxy=%s"\\n' "$except" "$except" \\
    >"$unit/zz-knest-action.conf" && systemctl daemon-reload || stop 'cannot except the registry from the proxy of containerd'
  restart=yes
fi

[ -n "$restart" ] || exit 0
systemctl restart containerd || stop 'containerd does not restart'
[ -z "$proxy" ] || excepts_registry || stop "the proxy of containerd has no exception for $address"
command -v ctr >/dev/null || exit 0
socket=$(printf '%s\\n' "$dump" | awk '/^\\[/ { table = $0 } table == "[grpc]" && $1 == "address" { gsub(/["\\047]/, "", $3); print $3 }')
socket="\${socket:-/run/containerd/containerd.sock}"
tries=0
until [ "$(cri)" = ok ]; do
  tries=$((tries + 1))
  [ "$(cri)" != error ] || stop 'the CRI plugin of containerd does not load'
  [ "$tries" -lt 60 ] || stop 'containerd does not answer a minute after its restart'
  sleep 1
done
`;
}

/**
 * The file by which containerd finds the registry. Without `server`, its last try would be https on the node itself; some
 * versions want a `[host]`, too. containerd 1.x reads no name of a table with a bracket in it: an IPv6 address is not there.
 */
export function hostsFile(url: string): string {
  const host = url.includes('[') ? '[host]\n' : `[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`;
  return `server = "${url}"\n\n${host}`;
}

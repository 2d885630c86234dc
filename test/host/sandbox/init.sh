#!/bin/bash
# PID 1 of a host: makes the host's mounts and network, then starts the services it is told to by name on a FIFO.
# Bash reaps orphans. When this process ends, the kernel ends every process, mount and address of the host with it.
#   init.sh STATE BINARIES IMAGES MACHINE_IMAGES MIRROR_ASSETS NODE
set -euo pipefail
state=$1 binaries=$2 images=$3 machine_images=$4 assets=$5 node=$6
here=$(dirname "$(readlink -f "$0")")

# /proc is still the machine's here, so this is the process as the machine sees it: its PID and start time.
read -r stat </proc/self/stat
fields=(${stat##*) })
echo "${stat%% *} ${fields[19]}" >"$state/init.tmp"
mv "$state/init.tmp" "$state/init"

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/knest/{state,bin,images,machine-images,overlay} /run/lock /run/netns

private() { # DIRECTORY: what the host writes below it stays its own
  local layer=/run/knest/overlay/${1//\//-}
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$layer/upper,workdir=$layer/work" "$1"
}
shared() { # SOURCE DIRECTORY: all hosts read it, and none may write to it
  mount --bind "$1" "$2"
  mount -o remount,bind,ro "$2"
}
on_disk() { # NAME DIRECTORY: too big for memory, or itself the ground of overlays
  mkdir -p "/run/knest/state/$1" "$2"
  mount --bind "/run/knest/state/$1" "$2"
}

# The state directory lies below /var/lib, which is about to be covered: keep a way to it.
mount --bind "$state" /run/knest/state
mount --bind "$binaries" /run/knest/bin
shared "$images" /run/knest/images
shared "$machine_images" /run/knest/machine-images
for directory in /etc /var/lib /var/log /usr/libexec; do private "$directory"; done
mount --bind /run/knest/state "$state"
rm -rf /etc/kubernetes /etc/cni /etc/containerd /var/lib/cni /var/log/pods /var/log/containers
on_disk containerd /var/lib/containerd
on_disk kubelet /var/lib/kubelet
on_disk etcd /var/lib/etcd
on_disk pods /var/log/pods
on_disk volumes /tmp/hostpath_pv # where the controller manager puts PersistentVolumes
# A machine sees /usr read-only, but kubeadm's controller manager wants this directory made.
mkdir -p /usr/libexec/kubernetes/kubelet-plugins/volume/exec

rm -f /etc/resolv.conf /etc/hosts # either may be a link into the machine's /run
: >/etc/resolv.conf # no name server: a lookup fails at once instead of after a time-out
hostname host
printf '127.0.0.1 localhost\n172.30.0.10 host\n' >/etc/hosts
mkdir -p /etc/cni/net.d /etc/containerd/certs.d/_default /run/knest/cni
ln -s /usr/lib/cni/* /run/knest/cni/
cp "$here/pod-address" /run/knest/cni/
cp "$here/10-knest.conflist" /etc/cni/net.d/
cp "$here/containerd.toml" /etc/containerd/config.toml
"$here/../machine/link-images" /run/knest/images /var/lib/containerd
cp "$here/hosts.toml" /etc/containerd/certs.d/_default/

# The kubelet sets these for the whole kernel, which is not the host's to change: give it files to write instead.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  mkdir -p "/run/knest/sysctl/${setting%/*}"
  cat "/proc/sys/$setting" >"/run/knest/sysctl/$setting"
  mount --bind "/run/knest/sysctl/$setting" "/proc/sys/$setting"
done
mount --make-rshared /

ip link set lo up
ip link add node0 type bridge
ip address add 172.30.0.10/24 dev node0
ip link set node0 up
ip route add default via 172.30.0.1 dev node0
sysctl -qw net.ipv4.ip_forward=1
# There is nobody out there. Say so at once, to the node and to its pods.
nft -f - <<'NFT'
table inet knest {
  chain output {
    type filter hook output priority filter; policy accept;
    # On its way to a Service, a packet still names the interface it would have left by before kube-proxy's DNAT.
    ct status dnat accept
    oifname "node0" meta l4proto tcp reject with tcp reset
    oifname "node0" reject
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname "node0" meta l4proto tcp reject with tcp reset
    oifname "node0" reject
  }
}
NFT

export PATH=/run/knest/bin:$PATH
cd /
service() {
  case $1 in
    mirror) exec "$node" "$here/../mirror.ts" "$assets" "$state/mirror.log" ;;
    containerd) exec containerd ;;
    kubelet)
      exec kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \
        --hostname-override=host --node-ip=172.30.0.10
      ;;
    kube-proxy)
      exec kube-proxy --kubeconfig=/etc/kubernetes/admin.conf --proxy-mode=nftables --cluster-cidr=10.85.0.0/16 \
        --hostname-override=host --conntrack-max-per-core=0 --conntrack-min=0
      ;;
  esac
}
# Opened for reading and writing, so that the end of one writer is not the end of the file.
exec 3<>"$state/start"
echo ready
while read -r name <&3; do
  (service "$name" 3<&- >>"$state/log/$name.log" 2>&1 </dev/null) &
done

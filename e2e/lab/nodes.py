"""Real nodes: containerd, kubelet and kube-proxy, each node in namespaces of its own.

A node has its own network, processes, mounts and host name, with a tiny process 1. Ending that process ends everything on the
node, containers included, and takes all mounts along; so a node can neither leak nor half die. Within its own mounts a node uses
the usual paths (`/run/containerd/containerd.sock`, `/var/lib/kubelet`, `/var/log/pods`): `ctr` and others work without options.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import cgroups, network, plan, processes
from .plan import Node
from .wait import until

CNI_PROGRAMS = "/usr/lib/cni"
PAUSE_IMAGE = "lab.fairway.dev/pause:1"
DNS = "10.96.0.10"
# Where kubelet and CNI keep state at fixed paths: hidden behind a folder of the node.
OWN_FOLDERS = {"kubelet": "/var/lib/kubelet", "cni": "/var/lib/cni", "log": "/var/log"}
START_SECONDS = 30.0

# Everything below `/` is shared within the node only, as kubelet's mount propagation wants it. `$1` is the node's folder, `$2` its
# name, `$3` the program that becomes process 1.
BECOME_NODE = "\n".join((
    "mount --make-rshared /",
    "mount -t tmpfs -o mode=755 tmpfs /run",
    *(f'mount --bind "$1/{own}" {path}' for own, path in OWN_FOLDERS.items()),
    'sysctl -qw kernel.hostname="$2"',
    'exec "$3"',
))

KUBE_PROXY = (
    "--proxy-mode=nftables",
    "--detect-local-mode=InterfaceNamePrefix", "--pod-interface-name-prefix=veth",
    # These are the machine's, not the namespace's, and cannot be written from there.
    "--conntrack-max-per-core=0", "--conntrack-min=0",
    "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
)


def boot(folder: Path, lab: str, node: Node, pause: Path) -> None:
    """Makes a node out of its network namespace: its folder, its process 1 and its containerd."""
    own = folder / node.name
    for name, path in OWN_FOLDERS.items():
        (own / name).mkdir(parents=True, exist_ok=True)
        Path(path).mkdir(parents=True, exist_ok=True)  # something must be there to be hidden
    words = ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child=KILL", "--mount-proc", "sh", "-euc", BECOME_NODE]
    shell = processes.start(folder, node.name, [*network.enter(network.name(lab, node.name)), *words, "node", own, node.name, pause])
    first = until(f"process 1 of {node.name}", START_SECONDS, lambda: _first(folder, shell, pause))
    processes.record(folder, first)
    _write_containerd(own, node)
    run(folder, node.name, f"{node.name}.containerd", ["containerd", "--config", str(own / "containerd.toml")])


def wait_containers(folder: Path, node: Node) -> None:
    """Waits until the node's containerd serves."""
    until(f"containerd of {node.name}", START_SECONDS, lambda: _ctr(folder, node.name, "version").returncode == 0, pause=0.1)


def join(folder: Path, lab: str, node: Node, program: Path, kubeconfig: Path) -> None:
    """Starts kubelet and kube-proxy, which make the node known to the cluster."""
    own = folder / node.name
    settings = own / "kubelet.json"
    (own / "resolv.conf").write_text(f"nameserver {DNS}\n", encoding="ascii")
    settings.write_text(json.dumps(_kubelet(own, node, cgroups.make(lab, node.name)), indent=1), encoding="utf-8")
    labels = {
        "topology.kubernetes.io/region": plan.REGION,
        "topology.kubernetes.io/zone": node.zone,
        "node.kubernetes.io/instance-type": plan.INSTANCE_TYPE,
    }
    run(folder, node.name, f"{node.name}.kubelet", [
        str(program), "kubelet", f"--kubeconfig={kubeconfig}", f"--config={settings}",
        f"--hostname-override={node.name}", f"--node-ip={node.address}",
        "--node-labels=" + ",".join(f"{key}={value}" for key, value in labels.items()),
    ])
    run(folder, node.name, f"{node.name}.kube-proxy", [
        str(program), "kube-proxy", f"--kubeconfig={kubeconfig}", f"--hostname-override={node.name}", *KUBE_PROXY])


def enter(folder: Path, name: str) -> list[str]:
    """The words before a command that run it on a node, as its process 1 sees the world."""
    pid = processes.find(folder, f"{name}.init").pid
    return ["nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--uts", "--"]


def run(folder: Path, node: str, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> processes.Process:
    """Starts a program on a node. Entering its process namespace takes one process more, whose child is the program."""
    outer = processes.start(folder, name, [*enter(folder, node), *argv], env)

    def inner() -> processes.Process | None:
        if not outer.alive():
            raise processes.NotRunning(f"{name} ended at once; see {folder / 'logs' / name}.log")
        return next((process for pid in processes.children(outer.pid) if (process := processes.current(pid, name))), None)

    process = until(f"{name} to start", START_SECONDS, inner)
    processes.record(folder, process)
    return process


def load(folder: Path, name: str, archive: Path) -> None:
    """Imports an image into the node's containerd."""
    done = _ctr(folder, name, "--namespace=k8s.io", "images", "import", str(archive))
    if done.returncode:
        raise RuntimeError(f"image {archive} on {name}: {done.stderr.strip()}")


def kill(folder: Path, lab: str, name: str) -> None:
    """Ends all processes of a node at once and cuts its wire."""
    network.unplug(lab, name)
    processes.stop([process for process in processes.recorded(folder) if process.name.split(".")[0] == name])
    cgroups.kill(lab, name)


def _first(folder: Path, shell: processes.Process, pause: Path) -> processes.Process | None:
    """The node's process 1, once it has made its mounts and become the waiting program."""
    if not shell.alive():
        raise RuntimeError(f"{shell.name} ended; see {folder / 'logs' / shell.name}.log")
    for pid in processes.children(shell.pid):
        if Path(f"/proc/{pid}/exe").readlink().name == pause.name:
            return processes.current(pid, f"{shell.name}.init")
    return None


def _ctr(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*enter(folder, name), "ctr", *arguments], capture_output=True, text=True, check=False)


def _write_containerd(own: Path, node: Node) -> None:
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE runc could not lower the score, and would end without a word.
    (own / "containerd.toml").write_text(f"""\
version = 2
root = "{own}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  sandbox_image = "{PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{own}/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
""", encoding="utf-8")
    (own / "net.d").mkdir(exist_ok=True)
    (own / "net.d" / "10-lab.conflist").write_text(json.dumps(_cni(node), indent=1), encoding="utf-8")


def _cni(node: Node) -> object:
    """One wire per pod, always through the node: on a bridge, answers between two pods of a node would bypass kube-proxy."""
    given = node.pod_addresses
    addresses = {"subnet": str(node.pods), "rangeStart": str(given[0]), "rangeEnd": str(given[-1])}
    return {"cniVersion": "1.0.0", "name": "lab", "plugins": [
        {"type": "ptp", "ipMasq": False, "ipam": {"type": "host-local", "ranges": [[addresses]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]}


def _kubelet(own: Path, node: Node, cgroup: str) -> object:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "failCgroupV1": False, "cgroupDriver": "cgroupfs", "cgroupRoot": cgroup, "enforceNodeAllocatable": [],
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",  # the default is in /usr
        "providerID": node.provider_id, "maxPods": plan.POD_ADDRESSES,
        # The node's port is reached from the control plane's namespace only.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}}, "authorization": {"mode": "AlwaysAllow"},
        "clusterDNS": [DNS], "clusterDomain": "cluster.local", "resolvConf": str(own / "resolv.conf"),
        "failSwapOn": False, "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,  # a removed image could not be pulled again
        "nodeStatusUpdateFrequency": "2s", "nodeLeaseDurationSeconds": 12,  # a dead node is noticed in seconds, see control_plane
    }

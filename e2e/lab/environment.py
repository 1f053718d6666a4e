"""The lab as environment variables, for programs under test and for a person's shell."""

from pathlib import Path
from typing import Any

from . import build

# The emulator takes any credentials; a 12-digit key would be taken as an account of its own.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def of(content: dict[str, Any], inside: bool) -> dict[str, str]:
    """Variables for programs on the host, or `inside` the lab's namespaces, where the addresses are others."""
    kubernetes = content["kubernetes"]
    place = kubernetes["inside"] if inside else kubernetes
    folder = Path(content["file"]).parent
    variables = {
        "LAB_NAME": content["name"],
        "LAB_JSON": content["file"],
        "KUBECONFIG": place["kubeconfig"],
        "KUBECTL": kubernetes["kubectl"],
        "HELM": str(build.helm_link()),
        "KUBECACHEDIR": str(folder / "kubectl"),
        **{f"HELM_{kind}_HOME": str(folder / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
    }
    if content["aws"] is not None:
        variables |= CREDENTIALS | _aws(content["aws"], inside)
    return variables


def _aws(aws: dict[str, Any], inside: bool) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws["inside"] if inside else aws["endpoint"],
        "AWS_REGION": aws["region"],
        "AWS_DEFAULT_REGION": aws["region"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLUSTER_NAME": aws["cluster"],
        "VPC_ID": aws["vpc"],
    }

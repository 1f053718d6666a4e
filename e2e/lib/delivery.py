"""Fairway as its users get it: images of the two binaries, and the chart installed by helm into a lab with nodes."""

import subprocess
from pathlib import Path

from lab import Image, Lab, Recipe, images, packages, paths
from lab.progress import Progress

from . import chart

# Users by package: only root gets the capabilities that the agent asks for.
PROGRAMS = {"fairway": images.USER, "fairway-agent": "0:0"}
REGISTRY = "lab.fairway.dev"
TAG = "e2e"
RELEASE = "fairway"


def build() -> dict[str, Path]:
    """Builds both binaries, and installs before what they link; gives them by their package. In a debug build the AWS SDK panics
    where there are no CA certificates, as in these images."""
    packages.install(packages.LINKED, Progress(quiet=True))
    packaged = [f"--package={name}" for name in PROGRAMS]
    subprocess.run(["cargo", "build", "--release", *packaged], cwd=paths.REPOSITORY, check=True)
    return {name: paths.REPOSITORY / "target" / "release" / name for name in PROGRAMS}


def deliver(lab: Lab, programs: dict[str, Path]) -> list[Image]:
    """Makes an image of each program, with the libraries it links and nothing else, and gives it to every node."""
    made = []
    for name, program in programs.items():
        recipe = Recipe(f"{REGISTRY}/{name}:{TAG}", {f"/{name}": program}, user=PROGRAMS[name])
        made.append(images.make(recipe, lab.folder / "images" / f"{name}.tar"))
        lab.load(made[-1])
    return made


def install(lab: Lab, owner: str, *more: str) -> None:
    """`helm install`; returns when operator and agents are ready."""
    aws = lab.describe()["aws"]
    environment = {"AWS_ENDPOINT_URL": aws["inside"], "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    values = {
        "clusterName": aws["cluster"], "region": aws["region"], "vpcId": aws["vpc"], "txtOwnerId": owner,
        "image.repository": f"{REGISTRY}/fairway", "image.tag": TAG,
        "agent.image.repository": f"{REGISTRY}/fairway-agent", "agent.image.tag": TAG,
    }
    for number, (name, value) in enumerate(environment.items()):
        values |= {f"env[{number}].name": name, f"env[{number}].value": value}
    words = [word for key, value in values.items() for word in ("--set-string", f"{key}={value}")]
    lab.helm("install", RELEASE, chart.CHART, "--namespace", chart.NAMESPACE, "--create-namespace", "--wait", "--timeout", "3m", *words, *more)


def uninstall(lab: Lab) -> None:
    """`helm uninstall`; returns when the pods are gone."""
    lab.helm("uninstall", RELEASE, "--namespace", chart.NAMESPACE, "--wait", "--timeout", "2m")

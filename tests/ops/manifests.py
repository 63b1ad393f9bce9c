"""Checks the manifests of deploy/kubernetes against the published schemas of Kubernetes and of the
Prometheus operator. tests/setup.sh brings the packages."""

import pathlib
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

OPERATOR = "monitoring.coreos.com/v1"


def lost(given, kept, path=""):
    """The keys that a model dropped; the values it has checked itself."""
    if isinstance(given, dict):
        for key, inner in given.items():
            if key in kept:
                yield from lost(inner, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(given, list):
        for index, (inner, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(inner, other, f"{path}[{index}]")


def check(manifest):
    """What is wrong with a manifest; nothing when it is right."""
    if manifest["apiVersion"] != OPERATOR:
        try:
            version = kubernetes_validate.latest_version()
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            return f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        return None
    try:
        model = getattr(operator, manifest["kind"]).model_validate(manifest)
    except ValueError as error:
        return str(error)
    kept = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    unknown = list(lost(manifest, kept))
    return f"the operator does not know {unknown}" if unknown else None


def main(files):
    bad = 0
    for file in files:
        manifest = yaml.safe_load(pathlib.Path(file).read_text(encoding="utf-8"))
        # The file for kustomize itself goes to no cluster.
        if manifest["kind"] == "Kustomization":
            continue
        if problem := check(manifest):
            print(f"{file}: {problem}", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

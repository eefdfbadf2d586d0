"""Renders every form of deployment with Kustomize and with Helm, and checks what comes of it."""
import argparse
import copy
import json
import re
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

VERSION = "1.33"
FORMS = ["standalone", "sidecar", "job"]
passed = failed = 0


def check(what, good, why=""):
    global passed, failed
    if good:
        passed += 1
        print(f"ok      {what}")
    else:
        failed += 1
        print(why)
        print(f"FAILED: {what}")


def run(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True)


def objects(command):
    """By kind and name, without what is one tool's way: a Job's name that says its content, an annotation likewise, and
    the configuration's text, of which only the meaning counts."""
    rendered = run(command)
    if rendered.returncode != 0:
        print(rendered.stderr)
        return {}
    found = {}
    for one in filter(None, yaml.safe_load_all(rendered.stdout)):
        if one["kind"] == "Job":
            one["metadata"]["name"] = re.sub(r"-[0-9a-f]{8}$", "", one["metadata"]["name"])
        if one["kind"] == "ConfigMap":
            one["data"] = {name: yaml.safe_load(text) for name, text in one["data"].items()}
        pod = one.get("spec", {}).get("template", {}).get("metadata", {})
        pod.get("annotations", {}).pop("checksum/config", None)
        if pod.get("annotations") == {}:
            del pod["annotations"]
        found[one["kind"], one["metadata"]["name"]] = one
    return found


def objection(one, pod_monitor):
    """Nothing, if Kubernetes knows all of it."""
    if one["kind"] == "PodMonitor":
        if not pod_monitor:
            return ""
        return run([pod_monitor], yaml.safe_dump(one)).stderr
    if one["kind"] == "ConfigMap":
        one = {**one, "data": {name: yaml.safe_dump(value) for name, value in one["data"].items()}}
    try:
        kubernetes_validate.validate(one, VERSION, strict=True)
        return ""
    except kubernetes_validate.ValidationError as error:
        return str(error.message)


def containers(found):
    for one in found.values():
        pod = one.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []) + pod.get("initContainers", []):
            if container["name"] == "outbox-sidecar":
                yield one["kind"] + " " + one["metadata"]["name"], pod, container


def check_structure(form, by, found, pod_monitor):
    objections = {key: objection(one, pod_monitor) for key, one in found.items()}
    check(f"{form}, {by}: Kubernetes {VERSION} knows all {len(found)} objects and their fields",
          found and not any(objections.values()), objections)


def check_finds_faults(found, pod_monitor):
    for (kind, _), one in found.items():
        if kind in ("Deployment", "NetworkPolicy") or kind == "PodMonitor" and pod_monitor:
            wrong = copy.deepcopy(one)
            wrong["spec"]["unheardOf"] = 1
            check(f"an unknown field in a {kind} is found", objection(wrong, pod_monitor))


def check_pods(form, found, sidecar):
    """What no schema can say."""
    config = found["ConfigMap", "outbox-sidecar"]["data"]["sidecar.yaml"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(config, file)
        file.flush()
        effective = run([sidecar, "--json", "--config", file.name, "--set", "database.password_file=", "--set",
                         "broker.password_file=", "check"])
    check(f"{form}: the program takes the configuration", effective.returncode == 0, effective.stderr)
    if effective.returncode != 0:
        return
    drain = json.loads(effective.stdout)["relay"]["drain_timeout"]
    for name, pod, container in containers(found):
        what = f"{form}: {name}"
        # Wrong usage would be 64; a file that is not there is looked for only when all else is understood.
        words = ["/nowhere/sidecar.yaml" if word.startswith("/") else word for word in container["args"]]
        check(f"{what} is run with a command that there is", run([sidecar, *words]).returncode == 78, words)
        check(f"{what} has more time to stop than draining takes ({drain})",
              pod["terminationGracePeriodSeconds"] > int(drain.removesuffix("s")) + 2)
        security = container["securityContext"]
        check(f"{what} is no root and may nothing",
              security["runAsNonRoot"] and security["readOnlyRootFilesystem"]
              and not security["allowPrivilegeEscalation"] and security["capabilities"] == {"drop": ["ALL"]}
              and security["seccompProfile"] == {"type": "RuntimeDefault"}, security)
        ports = {port["name"]: f"0.0.0.0:{port['containerPort']}" for port in container.get("ports", [])}
        relays = "run" in container["args"]
        check(f"{what} names the ports that it answers at", ports == (config["http"] if relays else {}), ports)
        probes = {kind.removesuffix("Probe") for kind in container if kind.endswith("Probe")}
        wanted = {"startup", "liveness"} | ({"readiness"} if form == "standalone" else set())
        check(f"{what} is asked by the probes that fit", probes == (wanted if relays else set()), probes)


def check_schema(helm):
    refused = {"an unknown value": ["replica=3"], "an unknown mode": ["mode=pod"], "a text for a number": ["replicas=two"],
               "another port than the container's": ["config.http.probes=127.0.0.1:1"]}
    for what, values in refused.items():
        outcome = run([*helm, *[word for value in values for word in ("--set", value)]])
        check(f"the chart refuses {what}, and says which", outcome.returncode != 0
              and re.search(r"replica|mode|probes", outcome.stderr), outcome.stderr)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sidecar", required=True)
    arguments.add_argument("--kustomize", default="")
    arguments.add_argument("--helm", default="")
    arguments.add_argument("--pod-monitor", default="")
    given = arguments.parse_args()
    helm = [given.helm, "template", "outbox-sidecar", "deploy/helm", "--kube-version", VERSION]
    for form in FORMS:
        by_kustomize = objects([*given.kustomize.split(), f"deploy/kubernetes/{form}"]) if given.kustomize else None
        by_helm = objects([*helm, "--set", f"mode={form}"]) if given.helm else None
        for by, found in {"Kustomize": by_kustomize, "Helm": by_helm}.items():
            if found is not None:
                check_structure(form, by, found, given.pod_monitor)
        if by_kustomize is not None and by_helm is not None:
            different = [key for key in by_kustomize.keys() | by_helm.keys() if by_kustomize.get(key) != by_helm.get(key)]
            check(f"{form}: Kustomize and Helm render to the same objects", not different, different)
        found = by_kustomize or by_helm
        if found:
            check_pods(form, found, given.sidecar)
        if found and form == "standalone":
            check_finds_faults(found, given.pod_monitor)
    if given.helm:
        lint = run([given.helm, "lint", "--strict", "--kube-version", VERSION, "deploy/helm"])
        check("helm lint has nothing to say against the chart", lint.returncode == 0, lint.stdout)
        check_schema(helm)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()

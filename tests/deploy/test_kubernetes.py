"""deploy/kubernetes has the form that Kubernetes asks for, and what belongs together in it agrees."""

import re
from typing import Any, Literal

import kubernetes_validate
import pytest
import yaml
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field

from resformer.scripts.monitor.monitor_metrics import AccessMetrics
from resformer.scripts.torchserve.access_keys import KINDS
from resformer.scripts.torchserve.proxy import DRAIN_SECONDS
from tests.deploy.resources import FOLDER, KUBECTL, OVERLAYS, only, rendered
from tests.paths import ROOT

VERSIONS = ("1.34", "1.37")
# Of the Prometheus operator: its schemas are in no package.
OPERATOR = "monitoring.coreos.com/v1"
PORTS = {"predictions": 8080, "metrics": 8082, "probes": 8084}
SECONDS_TO_STOP = 45  # for TorchServe and the monitor, after the requests

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl, which has kustomize, is not installed")


class Strict(BaseModel):
    """A part of a resource, of which no other field is used here."""

    model_config = ConfigDict(extra="forbid")


class Metadata(Strict):
    name: str
    namespace: str
    labels: dict[str, str]


class SecretKey(Strict):
    name: str
    key: str


class Authorization(Strict):
    type: Literal["Bearer"]
    credentials: SecretKey


class Endpoint(Strict):
    port: str
    path: str
    interval: str = Field(pattern=r"^\d+s$")
    scrapeTimeout: str = Field(pattern=r"^\d+s$")
    authorization: Authorization


class LabelSelector(Strict):
    matchLabels: dict[str, str]


class MonitorSpec(Strict):
    selector: LabelSelector
    endpoints: list[Endpoint]


class ServiceMonitor(Strict):
    """What the operator's ServiceMonitor is, as far as it is used."""

    apiVersion: Literal["monitoring.coreos.com/v1"]
    kind: Literal["ServiceMonitor"]
    metadata: Metadata
    spec: MonitorSpec


def container(resources: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = only(resources, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def service(resources: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [r for r in resources if r["kind"] == "Service" and r["metadata"]["name"] == name]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [f"overlays/{overlay}" for overlay in OVERLAYS])
def test_resources_have_the_schema_of_kubernetes(name: str, version: str) -> None:
    for resource in rendered(name):
        if resource["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(resource, version, strict=True)


def test_the_ingress_has_the_schema_and_leads_to_the_service() -> None:
    ingress = yaml.safe_load((FOLDER / "components" / "ingress" / "ingress.yaml").read_text())
    kubernetes_validate.validate(ingress, VERSIONS[0], strict=True)
    ((path,),) = [rule["http"]["paths"] for rule in ingress["spec"]["rules"]]
    backend = path["backend"]["service"]
    ports = service(rendered("overlays/cpu"), backend["name"])["spec"]["ports"]
    assert backend["port"]["name"] in {port["name"] for port in ports}
    assert {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]} == {ingress["spec"]["rules"][0]["host"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_pod_may_do_little(overlay: str) -> None:
    resources = rendered(f"overlays/{overlay}")
    pod = only(resources, "Deployment")["spec"]["template"]["spec"]
    assert (
        pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    )
    assert (
        f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
        in (ROOT / "Dockerfile").read_text()
    )
    security = container(resources)["securityContext"]
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert only(resources, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    bound = container(resources)["resources"]
    assert bound["requests"] == bound["limits"], "threads are as many as the limit has cores"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_volumes_are_mounted_where_the_image_writes(overlay: str) -> None:
    resources = rendered(f"overlays/{overlay}")
    volumes = {
        volume["name"]: volume for volume in only(resources, "Deployment")["spec"]["template"]["spec"]["volumes"]
    }
    mounts = {mount["mountPath"]: mount["name"] for mount in container(resources)["volumeMounts"]}
    assert set(mounts.values()) == set(volumes)
    declared = re.search(r"^VOLUME (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert declared
    for path in yaml.safe_load(declared[1]):
        assert "sizeLimit" in volumes[mounts[path]]["emptyDir"]
    (keys,) = [env["value"] for env in container(resources)["env"] if env["name"] == "RESFORMER_KEYS"]
    assert volumes[mounts[keys]]["secret"]["secretName"] == "resformer-keys"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_lead_to_each_other(overlay: str) -> None:
    resources = rendered(f"overlays/{overlay}")
    assert {port["name"]: port["containerPort"] for port in container(resources)["ports"]} == PORTS
    assert f"EXPOSE {' '.join(map(str, PORTS.values()))}\n" in (ROOT / "Dockerfile").read_text()
    probes = {name: container(resources)[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/ready",
        "liveness": "/live",
        "readiness": "/ready",
    }
    assert {probe["port"] for probe in probes.values()} == {"probes"}
    for found in (r for r in resources if r["kind"] == "Service"):
        assert {port["targetPort"] for port in found["spec"]["ports"]} <= set(PORTS)
    rules = only(resources, "NetworkPolicy")["spec"]["ingress"]
    opened = {port["port"]: rule.get("from") for rule in rules for port in rule["ports"]}
    assert set(opened) == set(PORTS)
    assert opened["predictions"] and opened["metrics"] and opened["probes"] is None
    assert only(resources, "NetworkPolicy")["spec"]["egress"] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_pods(overlay: str) -> None:
    resources = rendered(f"overlays/{overlay}")
    labels = only(resources, "Deployment")["spec"]["template"]["metadata"]["labels"]
    spread = only(resources, "Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]
    selectors = [
        only(resources, "Deployment")["spec"]["selector"]["matchLabels"],
        only(resources, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only(resources, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(constraint["labelSelector"]["matchLabels"] for constraint in spread),
        *(r["spec"]["selector"] for r in resources if r["kind"] == "Service"),
    ]
    assert all(selector and selector.items() <= labels.items() for selector in selectors)
    target = only(resources, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", only(resources, "Deployment")["metadata"]["name"])
    callers = [
        peer["podSelector"]
        for rule in only(resources, "NetworkPolicy")["spec"]["ingress"]
        for peer in rule.get("from", [])
        if "podSelector" in peer
    ]
    assert callers == [{"matchLabels": {"resformer/caller": "true"}}]


def test_there_is_time_to_end() -> None:
    pod = only(rendered("overlays/cpu"), "Deployment")["spec"]["template"]["spec"]
    arguments = pod["containers"][0]["args"]
    notice = float(arguments[arguments.index("--notice") + 1])
    readiness = pod["containers"][0]["readinessProbe"]
    assert notice > readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert pod["terminationGracePeriodSeconds"] >= notice + DRAIN_SECONDS + SECONDS_TO_STOP


def test_prometheus_scrapes_the_metrics_with_a_key() -> None:
    resources = rendered("overlays/gpu")
    monitor = ServiceMonitor.model_validate(only(resources, "ServiceMonitor"))
    (endpoint,) = monitor.spec.endpoints
    metrics = service(resources, "resformer-metrics")
    assert monitor.spec.selector.matchLabels.items() <= metrics["metadata"]["labels"].items()
    assert (
        not monitor.spec.selector.matchLabels.items() <= service(resources, "resformer")["metadata"]["labels"].items()
    )
    assert endpoint.port in {port["name"] for port in metrics["spec"]["ports"]}
    assert endpoint.authorization.credentials == SecretKey(name="resformer-scrape", key="key")


def test_the_alerts_are_those_of_the_folder_monitoring() -> None:
    alerts = yaml.safe_load((ROOT / "deploy" / "monitoring" / "alerts.yaml").read_text())
    rule = only(rendered("overlays/gpu"), "PrometheusRule")
    assert (rule["apiVersion"], rule["spec"]) == (OPERATOR, alerts)


def test_scaling_goes_by_a_metric_that_there_is() -> None:
    component = FOLDER / "components" / "scale-by-requests"
    (rule,) = yaml.safe_load((component / "adapter-values.yaml").read_text())["rules"]["custom"]
    registry = CollectorRegistry()
    AccessMetrics(registry)
    families = {family.name for family in registry.collect()}
    for text in (rule["seriesQuery"], rule["metricsQuery"]):
        (name,) = set(re.findall(r"resformer_\w+", text))
        assert name.removesuffix("_sum") in families
    own = yaml.safe_load((component / "autoscaler.yaml").read_text())
    for autoscaler in (own, only(rendered("overlays/gpu"), "HorizontalPodAutoscaler")):
        (metric,) = autoscaler["spec"]["metrics"]
        assert metric["pods"]["metric"]["name"] == rule["name"]["as"]


def test_the_keys_that_the_guide_makes_are_those_that_the_server_reads() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    (command,) = re.findall(r"kubectl -n resformer create secret generic resformer-keys((?:[^\n]*\\\n)*[^\n]*)", text)
    assert tuple(re.findall(r"--from-file=(\w+)=", command)) == KINDS
    assert re.search(r"create secret generic resformer-scrape \\?\s*--from-file=key=", text)


def test_no_secret_is_in_the_repository() -> None:
    for file in FOLDER.rglob("*.yaml"):
        assert "kind: Secret\n" not in file.read_text()

"""The libraries inside TorchServe's front end: one jar of all of them, without their Maven files.

Their versions are what the jar still says: Netty's list, the list of Log4j's dependencies, and constants in classes.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["JavaLibrary", "java_libraries"]

NETTY_LIST = "META-INF/io.netty.versions.properties"
NETTY_VERSION = re.compile(r"^(netty-[\w-]+)\.version=(\S+)$", re.MULTILINE)
DEPENDENCY_LIST = "META-INF/DEPENDENCIES"
DEPENDENCY = re.compile(r"\b([\w.-]+):([\w.-]+):jar:(\S+)")
GROOVY_LIST = "META-INF/groovy-release-info.properties"
GROOVY_VERSION = re.compile(r"^ImplementationVersion=(\S+)$", re.MULTILINE)
# Classes that have the version of their library as a constant.
CONSTANTS = {
    "com/google/gson/internal/GsonBuildConfig.class": ("com.google.code.gson", "gson"),
    "io/grpc/internal/GrpcUtil.class": ("io.grpc", "grpc-core"),
}
CONSTANT_VERSION = re.compile(rb"\d+\.\d+\.\d+(?![\w.])")
# Packages of libraries whose version the jar does not say.
UNVERSIONED = {
    "com/beust/jcommander/": ("com.beust", "jcommander"),
    "com/google/common/": ("com.google.guava", "guava"),
    "com/google/protobuf/": ("com.google.protobuf", "protobuf-java"),
    "com/lmax/disruptor/": ("com.lmax", "disruptor"),
    "io/prometheus/client/": ("io.prometheus", "simpleclient"),
    "org/apache/commons/cli/": ("commons-cli", "commons-cli"),
    "org/apache/commons/compress/": ("org.apache.commons", "commons-compress"),
    "org/apache/commons/io/": ("commons-io", "commons-io"),
    "org/testng/": ("org.testng", "testng"),
    "org/yaml/snakeyaml/": ("org.yaml", "snakeyaml"),
}
LICENCES: Mapping[str, str] = {"com.google.protobuf": "BSD-3-Clause", "org.slf4j": "MIT"}
USUAL_LICENCE = "Apache-2.0"


@dataclass(frozen=True, order=True)
class JavaLibrary:
    """A library by its Maven coordinates; `version` is "" where the jar does not say it."""

    group: str
    name: str
    version: str

    @property
    def licence(self) -> str:
        """Its SPDX identifier."""
        return LICENCES.get(self.group, USUAL_LICENCE)


def java_libraries(jar: Path) -> list[JavaLibrary]:
    """The libraries in a jar, sorted.

    Raises:
        OSError: It cannot be read.
        zipfile.BadZipFile: It is no jar.
    """
    with zipfile.ZipFile(jar) as file:
        return sorted(set(_found(file)))


def _found(jar: zipfile.ZipFile) -> Iterator[JavaLibrary]:
    names = jar.namelist()
    texts = {name: jar.read(name).decode() for name in (NETTY_LIST, DEPENDENCY_LIST, GROOVY_LIST) if name in names}
    for name, version in NETTY_VERSION.findall(texts.get(NETTY_LIST, "")):
        yield JavaLibrary("io.netty", name, version)
    for group, name, version in DEPENDENCY.findall(texts.get(DEPENDENCY_LIST, "")):
        yield JavaLibrary(group, name, version)
    for version in GROOVY_VERSION.findall(texts.get(GROOVY_LIST, "")):
        yield JavaLibrary("org.codehaus.groovy", "groovy", version)
    for path, (group, name) in CONSTANTS.items():
        if path in names:
            versions = CONSTANT_VERSION.findall(jar.read(path))
            yield JavaLibrary(group, name, versions[0].decode() if len(versions) == 1 else "")
    for package, (group, name) in UNVERSIONED.items():
        if any(path.startswith(package) for path in names):
            yield JavaLibrary(group, name, "")

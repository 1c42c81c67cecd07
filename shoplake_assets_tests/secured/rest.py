"""A real Iceberg REST catalog: the server with which Iceberg's makers test every client, over a database and a folder.

Belongs here: fetching and starting it, and a gate before it that demands a token and notes who showed which. The server
itself demands nothing. Does not belong here: who talks to it.
"""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from filelock import FileLock

from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

_ICEBERG, _JETTY, _HTTP = "1.10.1", "11.0.26", "5.3.4"
# Organisation, module, revision, classifier.
_MODULES = (
    *(("org.apache.iceberg", f"iceberg-{name}", _ICEBERG, "") for name in ("api", "common", "core", "bundled-guava")),
    ("org.apache.iceberg", "iceberg-core", _ICEBERG, "tests"),
    *(("org.eclipse.jetty", f"jetty-{name}", _JETTY, "") for name in ("server", "servlet", "security", "http")),
    *(("org.eclipse.jetty", f"jetty-{name}", _JETTY, "") for name in ("io", "util")),
    ("org.apache.httpcomponents.core5", "httpcore5", _HTTP, ""),
)
_SECONDS = 300
_UNAUTHORIZED = {"error": {"message": "no", "type": "NotAuthorizedException", "code": 401}}
_HOP = frozenset({"connection", "transfer-encoding", "content-encoding", "content-length", "date", "server"})


@dataclass
class Gate:
    """What stands before the catalog.

    Attributes:
        url: Its address, which clients are given.
        token: What it demands.
        agents: The programs that have shown it.
        refused: How many requests did not.
    """

    url: str
    token: str
    agents: set[str] = field(default_factory=set)
    refused: int = 0


@contextmanager
def rest_catalog(settings: "Settings", folder: Path, *, token: str) -> Iterator[Gate]:
    """Run the catalog and the gate.

    Args:
        settings: Name Java and the cache of jars.
        folder: Of its own; has its database and, in `warehouse`, its tables.
        token: What the gate demands.
    """
    with _server(settings, folder) as inner, _gate(inner, token=token) as gate:
        yield gate


@contextmanager
def _server(settings: "Settings", folder: Path) -> Iterator[str]:
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway  # type: ignore[import-untyped]

    java = find_java(settings)
    folder.mkdir()
    (jar,) = pyspark_jars().glob("py4j-*.jar")
    lake = resolve_jars(settings, java)
    others = [each for each in (*lake.spark, *lake.kafka) if each.name.startswith(("sqlite-jdbc", "caffeine"))]
    path = [*_jars(settings, java), *others, pyspark_jars() / "*"]
    # Iceberg's own program is built of the same parts, but listens on every address of the machine.
    with (folder / "log").open("w") as log:
        port, secret = launch_gateway(
            jarpath=str(jar),
            classpath=":".join(str(each) for each in path),
            javaopts=["-Xmx256m", "-XX:TieredStopAtLevel=1"],
            java_path=str(java.executable),
            die_on_exit=True,
            enable_auth=True,
            redirect_stdout=log,
            redirect_stderr=log,
        )
        parameters = GatewayParameters(port=port, auth_token=secret, auto_convert=True)
        gateway = JavaGateway(gateway_parameters=parameters)
        try:
            yield _serve(gateway.jvm, folder)
        finally:
            gateway.shutdown()


def _serve(jvm: Any, folder: Path) -> str:
    properties = {
        "uri": f"jdbc:sqlite:{folder}/catalog.db?journal_mode=WAL&busy_timeout=30000",
        "jdbc.schema-version": "V1",
        "warehouse": (folder / "warehouse").as_uri(),
    }
    catalog = jvm.org.apache.iceberg.jdbc.JdbcCatalog()
    catalog.setConf(jvm.org.apache.hadoop.conf.Configuration())
    catalog.initialize("rest", properties)
    servlet, jetty = jvm.org.apache.iceberg.rest.RESTCatalogServlet, jvm.org.eclipse.jetty
    context = jetty.servlet.ServletContextHandler()
    adapter = jvm.org.apache.iceberg.rest.RESTCatalogAdapter(catalog)
    context.addServlet(jetty.servlet.ServletHolder(servlet(adapter)), "/*")
    server = jetty.server.Server(jvm.java.net.InetSocketAddress("127.0.0.1", 0))
    server.setHandler(context)
    server.start()
    return f"http://127.0.0.1:{server.getURI().getPort()}"


@contextmanager
def _gate(inner: str, *, token: str) -> Iterator[Gate]:
    gate = Gate(url="", token=token)
    with internal_client(timeout=60) as client:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Authorization") != f"Bearer {token}":
                    gate.refused += 1
                    answer = httpx.Response(401, json=_UNAUTHORIZED)
                else:
                    gate.agents.add(str(self.headers.get("User-Agent")).partition("/")[0])
                    given = {name: value for name, value in self.headers.items() if name.lower() not in ("host", *_HOP)}
                    answer = client.request(self.command, f"{inner}{self.path}", content=body, headers=given)
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.content)

            do_GET = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815  as the library calls them

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            gate.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield gate
            finally:
                server.shutdown()
                thread.join()


def _jars(settings: "Settings", java: "Java") -> list[Path]:
    """The server's jars, fetched once by the Ivy of pyspark as Shoplake's own are."""
    folder = settings.runtime.cache / f"rest-catalog-{_ICEBERG}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".filelock")):
        if len(list(folder.glob("*.jar"))) < len(_MODULES):
            _fetch(folder, java)
    return sorted(folder.glob("*.jar"))


def _fetch(folder: Path, java: "Java") -> None:
    (ivy,) = pyspark_jars().glob("ivy-*.jar")
    (folder / "settings.xml").write_text(
        "<ivysettings><settings defaultResolver='maven'/><resolvers><ibiblio name='maven' m2compatible='true' "
        "usepoms='false' useMavenMetadata='false' checksums=''/></resolvers></ivysettings>"
    )
    wanted: dict[tuple[str, str, str], list[str]] = {}
    for organisation, module, revision, classifier in _MODULES:
        wanted.setdefault((organisation, module, revision), []).append(classifier)
    dependencies = "".join(
        f"<dependency org='{organisation}' name='{module}' rev='{revision}' conf='default->default' transitive='false'>"
        + "".join(_artifact(module, classifier) for classifier in classifiers)
        + "</dependency>"
        for (organisation, module, revision), classifiers in wanted.items()
    )
    (folder / "ivy.xml").write_text(
        "<ivy-module version='2.0' xmlns:m='http://ant.apache.org/ivy/maven'>"
        "<info organisation='shoplake' module='rest'/><configurations><conf name='default'/></configurations>"
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
    command = [str(java.executable), *java.options, "-jar", str(ivy), "-settings", "settings.xml", "-ivy", "ivy.xml"]
    pattern = str(folder / "[artifact]-[revision](-[classifier]).[ext]")
    done = subprocess.run(  # noqa: S603  our own command
        [*command, "-cache", str(folder / "ivy"), "-retrieve", pattern],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def _artifact(module: str, classifier: str) -> str:
    which = f" m:classifier='{classifier}'" if classifier else ""
    return f"<artifact name='{module}' type='jar' ext='jar'{which}/>"

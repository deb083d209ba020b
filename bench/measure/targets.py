"""What is measured: sluice, the proxies it is measured by, and no proxy at all."""

import os
import shutil

from processes import PROXY_CORE, Process, free_port, wait_for_port

KEY = "sk-bench-0123456789abcdef0123456789abcdef"

NGINX = """
{user}worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log error;
events {{ worker_connections {connections}; }}
http {{
    access_log {access_log};
    gzip off;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    client_max_body_size 64m;
    client_body_buffer_size 2m;
    client_body_temp_path {dir}/client;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream model {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://model;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 300s;
            proxy_buffering {buffering};
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    maxconn {connections}
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    http-reuse always
    option http-no-delay
frontend in
    bind 127.0.0.1:{port}
    default_backend model
backend model
    server model 127.0.0.1:{upstream} pool-max-conn 512
"""

SLUICE = """
listen: 127.0.0.1:{port}
data_dir: {dir}/data
{keys}upstreams:
  model:
    kind: openai
    base_url: http://127.0.0.1:{upstream}/v1
    api_key: sk-upstream
    pool: {{max_idle_per_worker: 512, max_connections: 12000}}
routes:
  - {{model: bench, to: model/bench}}
log: {{level: {level}, format: json, access: {access}}}
"""

SLUICE_KEYS = """keys:
  - {{name: bench, secret: {key}, group: bench, scopes: [metrics]}}
"""


class Target:
    """A program in front of the upstream. `port` is where the load goes."""

    name = "?"

    def __init__(self, directory, upstream_port, access_log=False, stream=False, key=True):
        self.directory, self.upstream_port = directory, upstream_port
        self.access_log, self.stream, self.key = access_log, stream, key
        self.process = None
        self.port = None

    def write(self, file_name, text):
        path = self.directory / f"{self.name}-{self.port}-{file_name}"
        path.write_text(text)
        return path

    def start(self, wait=True, prefix=()):
        self.port = free_port()
        self.process = Process([*prefix, *self.command()], PROXY_CORE,
                               self.directory / f"{self.name}-{self.port}.log")
        if wait:
            wait_for_port(self.port, self.process)
        return self

    def stop(self):
        if self.process:
            self.process.stop()

    def load_options(self):
        """What a load generator needs to talk to this target."""
        return {"port": self.port}


class Lane:
    """A running target under a name of its own: the client's dialect decides the lane it takes."""

    def __init__(self, target, name, dialect):
        self.target, self.name, self.dialect = target, name, dialect
        self.process = target.process

    def load_options(self):
        return self.target.load_options() | {"dialect": self.dialect}


class Direct(Target):
    name = "direct"

    def start(self, wait=True, prefix=()):
        self.port = self.upstream_port
        return self


class Nginx(Target):
    name = "nginx"
    available = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None

    def command(self):
        log = f"{self.directory}/nginx-{self.port}-access.log combined buffer=64k"
        text = NGINX.format(
            user="user root;\n" if os.geteuid() == 0 else "", dir=self.directory, files=20000,
            connections=16000, access_log=log if self.access_log else "off", port=self.port,
            upstream=self.upstream_port, buffering="off" if self.stream else "on")
        path = self.write("nginx.conf", text)
        return ["nginx", "-p", self.directory, "-c", path]


class Haproxy(Target):
    name = "haproxy"
    available = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None

    def command(self):
        path = self.write("haproxy.cfg", HAPROXY.format(
            connections=9000, port=self.port, upstream=self.upstream_port))
        return ["haproxy", "-db", "-f", path]


class Sluice(Target):
    name = "sluice"
    binary = None

    def command(self):
        path = self.write("sluice.yaml", SLUICE.format(
            port=self.port, dir=self.directory, upstream=self.upstream_port,
            keys=SLUICE_KEYS.format(key=KEY) if self.key else "",
            level="info" if self.access_log else "warn",
            access="true" if self.access_log else "false"))
        return [self.binary, "serve", "--config", path, "--workers", "1"]

    def load_options(self):
        return super().load_options() | ({"key": KEY} if self.key else {})

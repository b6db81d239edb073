"""nginx, as the upstream that both proxies stand before, and as the proxy to compare with."""

import os
from pathlib import Path

from stack.component import Component, answers

SMALL_BODY = '{"items": [], "limit": 50, "offset": 0, "total": 0, "next_cursor": null}'

COMMON = """
daemon off;
worker_processes {workers};
pid {folder}/pid;
error_log stderr warn;
{user}
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
    access_log {access_log};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    {http}
}}
"""

# The gateway asks its upstreams whether they are ready; everything else is one small document.
UPSTREAM = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        root {folder};
        location = /internal/ready {{ return 200 '{{}}'; }}
        location = /sources/large {{ default_type application/octet-stream; rewrite ^ /large break; }}
        location / {{ return 200 '{body}'; }}
    }}
"""

# Like ours: streaming both ways, upstream connections kept, nothing written to disk.
PROXY = """
    upstream documents {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
    upstream uploads {{ server 127.0.0.1:{sink}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        client_max_body_size 0;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_request_buffering off;
        proxy_max_temp_file_size 0;
        location / {{ proxy_pass http://documents; }}
        location /chat/ {{ proxy_pass http://documents; proxy_buffering off; }}
        location = /upload {{ proxy_pass http://uploads; }}
    }}
"""


def upstream(folder: Path, port: int) -> Component:
    """Serves the file `large` of its folder at `/sources/large`."""
    http = UPSTREAM.format(port=port, folder=folder, body=SMALL_BODY)
    return component("nginx-upstream", folder, port, http, workers=1, access_log="off")


def proxy(folder: Path, port: int, upstream: int, sink: int, workers: int) -> Component:
    """Writes an access log, as ours does."""
    http = PROXY.format(port=port, upstream=upstream, sink=sink)
    return component("nginx-proxy", folder, port, http, workers, f"{folder}/access.log")


def component(
    name: str, folder: Path, port: int, http: str, workers: int, access_log: str
) -> Component:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "nginx.conf"
    # Workers would else drop to a user that cannot read our folders.
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(
        COMMON.format(workers=workers, folder=folder, user=user, access_log=access_log, http=http)
    )
    return Component(
        name=name,
        command=["/usr/sbin/nginx", "-p", str(folder), "-e", "stderr", "-c", str(file)],
        is_ready=answers(f"http://127.0.0.1:{port}/internal/ready"),
    )

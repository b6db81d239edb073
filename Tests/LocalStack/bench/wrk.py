"""wrk: as many requests as a number of connections can, for a while."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.component import StackError

# Each request is made once, with one of the tokens, and they are sent in turn.
SCRIPT = """
local requests, number = {}, 0
function init(arguments)
    for token in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", nil, {["Authorization"] = "Bearer " .. token})
    end
end
function request()
    number = number % #requests + 1
    return requests[number]
end
"""

COUNT = re.compile(r"(\d+) requests in ")
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
BROKEN = re.compile(r"Socket errors: (.+)")


@dataclass
class Load:
    count: int
    rate: float


def run(
    port: int, path: str, tokens: Path, connections: int, seconds: float, threads: int = 1
) -> Load:
    script = tokens.with_suffix(".lua")
    script.write_text(SCRIPT)
    done = subprocess.run(
        [
            "wrk", f"-t{min(threads, connections)}", f"-c{connections}", f"-d{seconds:g}s",
            "-s", str(script), f"http://127.0.0.1:{port}{path}", "--", str(tokens),
        ],
        capture_output=True, text=True, timeout=seconds + 30, check=False,
    )
    if done.returncode != 0:
        raise StackError(f"wrk failed:\n{done.stdout}{done.stderr}")
    return parse(done.stdout)


def parse(printed: str) -> Load:
    """An error among the answers makes the rate worthless, so it is one."""
    for wrong in (REFUSED.search(printed), BROKEN.search(printed)):
        if wrong:
            raise StackError(f"wrk saw failures: {wrong.group(0)}")
    count, rate = COUNT.search(printed), RATE.search(printed)
    if not count or not rate:
        raise StackError(f"wrk said something unexpected:\n{printed}")
    return Load(int(count.group(1)), float(rate.group(1)))

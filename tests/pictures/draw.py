"""Draw README's pictures from what the program does today: `make pictures`."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import chart
import terminal
from fake_host import browser_program

HERE = Path(__file__).parent
DEMO = HERE / "demo.svg"
PROGRAM = Path(sys.executable).parent / "dixa-mcp"
TOLD_STEPS = ("It changes tags", "It wants to answer", "The same server, read-only", "What left")


def demo(home: Path) -> str:
    """What the demo tells at a terminal."""
    environment = {**os.environ, "FORCE_COLOR": "1", "HOME": str(home)}
    return subprocess.run([PROGRAM, "demo"], capture_output=True, text=True, check=True, env=environment).stdout


def demo_picture(told: str) -> str:
    """The picture of some of the demo's steps; what is random in them is made equal."""
    told = re.sub(r"\bc-[0-9a-f]{8}\b", "c-1f2e3d4c", told)
    steps = re.split(r"\n(?=\x1b\[1m\d+\. )", told.strip())
    chosen = [step.strip() for step in steps if any(title in step for title in TOLD_STEPS)]
    shown = "\n\n".join(["\x1b[2m$\x1b[0m make demo", "\x1b[2m…\x1b[0m", *chosen])
    return terminal.picture(shown, "make demo")


def main() -> int:
    """Draw all pictures; without a browser, only the demo's."""
    DEMO.write_text(demo_picture(demo(Path.home())), encoding="utf-8")
    program = browser_program()
    if program is None:
        print("Skipped: the chart's pictures need Chromium (from the system, or CHROMIUM=path).")  # noqa: T201 - for who typed it
        return 0
    for theme, png in asyncio.run(_charts(program)).items():
        (HERE / f"chart-{theme}.png").write_bytes(png)
    return 0


async def _charts(program: str) -> dict[str, bytes]:
    return await chart.draw(await chart.answer(), program)


if __name__ == "__main__":
    sys.exit(main())

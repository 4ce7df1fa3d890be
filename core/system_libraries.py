"""Which of the system's own libraries are missing, and the one line that installs them.

`python -m core.system_libraries` says so, with exit code 1 if the program cannot start without them;
`--all` asks for those of a screen and a microphone too, `--packages` lists what a Debian system needs,
`--tests` adds what only the tests use.
Needs nothing but Python, so that set-up can ask before anything else is installed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Literal

Use = Literal["start", "screen", "microphone"]


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library, Debian's package of it, and what does not work without it."""

    soname: str
    package: str
    use: Use


LIBRARIES = (
    Library("libglib-2.0.so.0", "libglib2.0-0", "start"),
    Library("libEGL.so.1", "libegl1", "start"),
    Library("libGL.so.1", "libgl1", "start"),
    Library("libGLESv2.so.2", "libgles2", "start"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "start"),
    Library("libdbus-1.so.3", "libdbus-1-3", "start"),
    Library("libfontconfig.so.1", "libfontconfig1", "start"),
    Library("libgssapi_krb5.so.2", "libgssapi-krb5-2", "start"),
    Library("libpulse.so.0", "libpulse0", "start"),
    Library("libportaudio.so.2", "libportaudio2", "microphone"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "screen"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "screen"),
    Library("libxcb-image.so.0", "libxcb-image0", "screen"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "screen"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "screen"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "screen"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "screen"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "screen"),
)
"""Found with `ldd` over Qt's, OpenCV's and MediaPipe's libraries; other systems bring theirs along."""

TEST_PROGRAMS = (("pulseaudio", "pulseaudio"), ("pactl", "pulseaudio-utils"), ("paplay", "pulseaudio-utils"))
"""Program and package: a sound server of the tests' own, whose silent loudspeaker is the microphone."""
TEST_PACKAGES = ("pulseaudio", "pulseaudio-utils", "libasound2-plugins")
"""The last one leads PortAudio to the sound server."""

INSTALL = "apt-get install -y --no-install-recommends"


def missing(uses: tuple[Use, ...] = ("start", "screen", "microphone")) -> list[Library]:
    """The libraries for these uses that cannot be loaded; none on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return []
    return [library for library in LIBRARIES if library.use in uses and not _loads(library.soname)]


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def explain(libraries: list[Library]) -> str:
    """What is missing and the line that installs it, for a Debian or Ubuntu system."""
    packages = " ".join(library.package for library in libraries)
    lines = [f"Missing system libraries: {', '.join(library.soname for library in libraries)}"]
    if any(library.use == "microphone" for library in libraries):
        lines.append("(without PortAudio everything works but the microphone)")
    return "\n".join([*lines, f"On Debian and Ubuntu: sudo {INSTALL} {packages}"])


def untestable() -> list[str]:
    """The programs that only the tests use and that are not here; none on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return []
    return [name for name, _ in TEST_PROGRAMS if shutil.which(name) is None]


def main() -> int:
    """Obey the command line (above); the exit code."""
    tests = "--tests" in sys.argv[1:]
    if "--packages" in sys.argv[1:]:
        packages = [library.package for library in LIBRARIES]
        sys.stdout.write(" ".join([*packages, *(TEST_PACKAGES if tests else ())]) + "\n")
        return 0
    if tests and (programs := untestable()):
        install = f"sudo {INSTALL} {' '.join(TEST_PACKAGES)}"
        sys.stderr.write(f"Missing programs for the tests: {', '.join(programs)}\nOn Debian: {install}\n")
        return 1
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    everything = "--all" in sys.argv[1:]
    needed: tuple[Use, ...] = ("start", "screen") if display else ("start",)
    absent = missing() if everything else missing((*needed, "microphone"))
    if absent:
        sys.stderr.write(explain(absent) + "\n")
    return int(any(everything or library.use in needed for library in absent))


if __name__ == "__main__":
    sys.exit(main())

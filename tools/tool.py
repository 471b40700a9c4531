# SPDX-License-Identifier: Apache-2.0
"""How a tool ends: with a word of what it could not do, and quietly where somebody stops it."""

import pathlib
import sys

from judge import ToolError
from toolchain import BuildError

INTERRUPTED = 130


def tool_run(main):
    """Exits with what main() returns."""
    try:
        sys.exit(main())
    except (ToolError, BuildError) as error:
        sys.exit(f"{pathlib.Path(sys.argv[0]).stem}: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)

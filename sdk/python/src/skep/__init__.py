"""Client of Skep: memory that a team's coding agents share and nobody else can read.

`Client` waits for its answers, `AsyncClient` is awaited. `skep.models` are the types of what goes over
the wire, `skep.operations` every call there is, `skep.errors` what goes wrong.
"""

from skep._core import VERSION as __version__
from skep._retry import Retry
from skep.aio import AsyncClient
from skep.client import Client
from skep.errors import ApiError, SkepError

__all__ = ["ApiError", "AsyncClient", "Client", "Retry", "SkepError", "__version__"]

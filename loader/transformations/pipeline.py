"""What happens to an accepted event before its contract is asked: enrich, transform, middleware."""

from pathlib import Path

from loader.config import Config
from loader.event.envelope import Event
from loader.transformations.enrichment import Enrichment
from loader.transformations.hashing import salt_of
from loader.transformations.middleware import Middleware
from loader.transformations.transformation import Transformations


class Pipeline:
    """Enrichment, then transformations, then middleware, as headwater.yml has them.

    Raises ConfigError for what makes no sense, can't be imported or can't be read.
    """

    def __init__(self, config: Config, root: Path) -> None:
        self.enrichment = Enrichment(config.enrichment, root)
        self._transform = Transformations(config.transformations, salt_of(config.privacy))
        self._middleware = Middleware(config.middleware, root)

    def __call__(self, event: Event) -> Event | None:
        """What becomes of `event` (normalised), None if it is dropped; `event` itself stays.

        Raises MiddlewareFailed.
        """
        transformed = self._transform(self.enrichment(event))
        return None if transformed is None else self._middleware(transformed)

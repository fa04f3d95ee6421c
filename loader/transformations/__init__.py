"""What a workspace makes of events before they are judged: privacy, enrichment, transformations.

`Privacy` stands at the door: what it changes or leaves out is stored nowhere as it came. `Pipeline`
comes after it and changes what tables get; the archive keeps events as they were before, so that
they can be transformed anew.
"""

from loader.transformations.enrichment import CountryFile, Enrichment, campaign_of
from loader.transformations.middleware import MiddlewareFailed
from loader.transformations.pipeline import Pipeline
from loader.transformations.privacy import Privacy
from loader.transformations.user_agent import client_of, is_bot

__all__ = [
    "CountryFile",
    "Enrichment",
    "MiddlewareFailed",
    "Pipeline",
    "Privacy",
    "campaign_of",
    "client_of",
    "is_bot",
]
